"""A second opinion on which lines say a field: what a page's labels and lines say together, weighed by what drawn cards
taught (docs/decisions/0032).

    surroundings      how lines and labels stand to each other
    label_matching    labels and lines, one to one, at the least cost
    line_sets         the lines that a field may have
    order             in which order fields and lines stand
    features          what speaks for a set and against it, as numbers
    trees             gradient-boosted trees that weigh them
    choose            all fields together: no line is two fields' value
"""
