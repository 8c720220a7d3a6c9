"""The way in for editors: LSP framing, lifecycle, dispatch and one feature module per method family."""
