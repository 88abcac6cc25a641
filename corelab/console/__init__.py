"""The web console: read-only pages about what the local SageMaker holds, drawn from what Describe and List answer.

path ─▶ site ─▶ pages/* ─ facts ─▶ templates ─▶ one page, its style and script inside
                   └── charts: inline SVG
"""
