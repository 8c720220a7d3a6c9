"""The way in for clients from elsewhere: listeners, tokens, discovery. Off until somebody asks for it."""
