"""The plant: a simulator and the live file it writes."""
