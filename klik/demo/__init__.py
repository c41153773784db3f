"""The demo: real municipalities, systems, titles and roles; invented people; dates around today."""
