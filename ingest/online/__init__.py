"""Services on the internet that a user named: asked politely, cached, and never without being named."""
