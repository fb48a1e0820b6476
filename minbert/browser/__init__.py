"""The model for a browser: beside its ONNX file its tokenizer's data and ONNX Runtime Web.

`wordpiece.js` and `model.js`, beside this file, are the other half: text in, answers out.
"""
