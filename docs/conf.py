"""Sphinx's settings: Markdown pages, a theme without a CDN, every warning an error."""

project = "corelab"
html_title = "corelab"
copyright = "the corelab authors, Apache License 2.0"
extensions = ["myst_parser"]
exclude_patterns = ["README.md"]
# Links such as #the-walls are checked too.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_show_sourcelink = False
# Sessions show prompts and output; they are executed by tests/test_documents.py.
highlight_language = "text"
