"""Start the page: `python app.py`. Also the entry point of a Hugging Face Space."""

from minbert.ui.app import main

if __name__ == "__main__":
    main()
