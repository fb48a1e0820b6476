"""The page: Gradio tabs and Plotly figures. The only place that imports gradio or plotly."""
