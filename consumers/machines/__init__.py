"""What is known of each machine; pure: no clock, no file, no database."""
