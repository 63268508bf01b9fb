"""People: departments, staff, customers, who follows whom, tags, channels."""
