"""What a Glue job's own process runs: it is started as files, with another interpreter if need be."""
