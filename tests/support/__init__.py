"""What several tests share: a scripted upstream, an isolated user, in-memory connections."""
