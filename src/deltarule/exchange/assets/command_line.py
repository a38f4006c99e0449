

def show(cells):
    """Print the answer for a row of texts; an empty one is a missing number."""
    answer = predict([float(cell) if cell.strip() else __NAN__ for cell in cells])
    print(answer)  # if has_classes
    print(*answer, sep=",")  # if !has_classes


def main(arguments):
    """Check the test cases; or answer the numbers given, or each line of standard input."""
    if not arguments:
        return test()
    if arguments == ["-"]:
        for line in sys.stdin:
            if line.strip():
                show(line.split(","))
    else:
        show(arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
