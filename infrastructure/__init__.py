"""The AWS resources behind Decant, as CloudFormation, and what renders it."""
