"""Which permissions the code and the workflows need, compared with those that the template grants."""
