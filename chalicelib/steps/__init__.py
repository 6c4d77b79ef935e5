"""The steps a workflow can call: one module, one Lambda, one state name each."""
