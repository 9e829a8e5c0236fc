"""The HTTP interface for programs: Ibid's own routes, and those that speak OpenAI's protocol.

`ui.api.serving.Serving` is what the routes work with; `ui.api.application` puts them into a FastAPI application.
"""
