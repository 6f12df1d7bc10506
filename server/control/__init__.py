"""The control plane: which revision answers, what is resident, what happens on a switch."""
