"""The live file as whole lines, each once and in order, wherever its bytes went."""
