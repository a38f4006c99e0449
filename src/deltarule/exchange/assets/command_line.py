

def show(cells):
    """Print the answer for a row of texts; an empty one is missing."""
    answer = predict(cells)  # if has_columns
    answer = predict([number(cell) for cell in cells])  # if !has_columns
    print(answer)  # if has_classes
    print(*answer, sep=",")  # if !has_classes
# if !reads_cells


def number(cell):
    """A text as a number; not a number where it is empty."""
    return float(cell) if cell.strip() else __NAN__
# endif


def show_lines():
    """Print the answer for each line of standard input; the first may name the columns, in any order."""
    sys.stdin.reconfigure(encoding="utf-8-sig")
    places, width = range(len(__NAMES__)), len(__NAMES__)
    lines = (cells for cells in csv.reader(sys.stdin) if cells and (len(cells) > 1 or cells[0].strip()))
    for line, cells in enumerate(lines):
        if line == 0 and set(__NAMES__) <= set(cells):
            places, width = [cells.index(name) for name in __NAMES__], len(cells)
        elif len(cells) != width:
            raise ValueError(f"expected {width} cells in a line, got {len(cells)}")
        else:
            show([cells[place] for place in places])


def main(arguments):
    """Check the test cases; or answer the cells given, or each line of standard input."""
    if not arguments:
        return test()
    if arguments == ["-"]:
        show_lines()
    else:
        show(arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
