"""Hard cards: layouts of their own, security print, bad photographs. The test half uses layouts, fonts and wordings
that no training, no validation and no rule ever sees.
"""
