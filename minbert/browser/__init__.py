"""The model for a browser: its ONNX graph, its tokenizer's data, and ONNX Runtime Web's files.

`wordpiece.js` and `model.js`, beside this file, are the other half: text in, answers out.
"""
