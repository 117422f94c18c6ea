"""The embedded workspace: what a Databricks workspace does for Genie Spaces, on a laptop."""
