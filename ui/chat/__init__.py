"""The chat behind the Chat tab: asking, turns as HTML, the panel that shows a source, scope and conversations."""
