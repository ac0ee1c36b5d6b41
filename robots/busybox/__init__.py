"""BusyBox: buttons, switches, sliders, a knob and a wire, each to be set as the instruction says."""
