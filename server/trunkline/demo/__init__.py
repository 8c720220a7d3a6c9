"""`trunkline demo`: the real server against a simulated provider on loopback.

price_list        the simulated provider's models and what they cost
simulated_model   what a model answers to a conversation
completions       that answer as FastRouter documents it on the wire, streamed or whole
http_server       as much of HTTP/1.1 as that needs
upstream          the simulated provider; the end-to-end tests use it too
problem           the demo's own error
temporary_user    a user who exists only while the demo runs
screen            what the terminal shows
conversation      an editor's side of a chat
steps             what the demo does, one function per step
run               start, order and end of it all
"""
