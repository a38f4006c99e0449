/*
 * __HEAD__
 *
 * To use it, #include this file, or link it and declare
 *
 *     __DECLARATIONS__
 *
 * Where it is called net.c, it is a program, too:
 *
 *     cc -std=c99 -O2 -DMAIN net.c -lm -o net
 *     __RUNS__
 */

#include <math.h>
#include <stdbool.h>
#if !exported
/* An example of what is written here, for editors and compilers that read this file as it is. */
typedef double __REAL__;
#define fmax__F__ fmax
#define exp__F__ exp
#define __N_INPUTS__ 2
#define __N_COLUMNS__ 2
#define __N_OUTPUTS__ 1
#define __N_TESTS__ 1
#define __SCALED__ row[i]
#define __TOLERANCE__ 1e-9
#define __FORMAT__ "%.15g%c"
#define __ANSWER__ y[k]
#define has_softmax 1
#define in_units 1
#define __ROW__ const double row[N_INPUTS]
#define __GIVEN__ row
#define __NUMBER__ number(cells[i])
static double number(const char *cell);
static const char *const __NAMES__[] = {"x", "y"};
static const double TEST_ROWS[1][2] = {{0, 0}}, TEST_OUTPUTS[1][1] = {{0}}, TEST_ANSWERS[1][1] = {{0}};
#endif

enum { N_COLUMNS = __N_COLUMNS__, N_INPUTS = __N_INPUTS__, N_OUTPUTS = __N_OUTPUTS__ };

// __ARRAYS__
// __FUNCTIONS__
#if has_softmax

/* __FORMULA__, shifted, so that nothing overflows; in the place of z. */
static void softmax(__REAL__ z[], int n)
{
    __REAL__ top = z[0], sum = 0;
    for (int k = 1; k < n; k++)
        top = fmax__F__(top, z[k]);
    for (int k = 0; k < n; k++)
        sum += z[k] = exp__F__(z[k] - top);
    for (int k = 0; k < n; k++)
        z[k] /= sum;
}
#endif
// __CELLS__

/* A row as layer 1 takes it; false where an input is not finite. */
static bool inputs(__ROW__, __REAL__ x[N_INPUTS])
{
#if has_columns
    double row[N_INPUTS];
    for (int i = 0; i < N_INPUTS; i++)
        row[i] = feature(cells, SOURCES[i]);
#endif
    for (int i = 0; i < N_INPUTS; i++) {
        x[i] = __SCALED__;
        if (!isfinite(x[i]))
            return false;
    }
    return true;
}

/* The __OUTPUTS__ of the network for a row; false where an input is not finite. */
bool predict_outputs(__ROW__, __REAL__ outputs[N_OUTPUTS])
{
    __REAL__ x[N_INPUTS];
    if (!inputs(__GIVEN__, x))
        return false;
    // __LAYERS__
    return true;
}
#if largest_class

/* The place in CLASSES of the largest output, or -1 where an input is not finite. */
int predict(__ROW__)
{
    __REAL__ y[N_OUTPUTS];
    int best = 0;
    if (!predict_outputs(__GIVEN__, y))
        return -1;
    for (int k = 1; k < N_OUTPUTS; k++)
        if (y[k] > y[best])
            best = k;
    return best;
}
#endif
#if second_class

/* The place in CLASSES: 1 where the output is above 0.5, else 0; or -1 where an input is not finite. */
int predict(__ROW__)
{
    __REAL__ y[N_OUTPUTS];
    return predict_outputs(__GIVEN__, y) ? y[0] > 0.5 : -1;
}
#endif
#if !has_classes

/* The outputs for a row, in their units; false where an input is not finite. */ // if in_units
/* The outputs for a row; false where an input is not finite. */ // if bare_outputs
bool predict(__ROW__, double answer[N_OUTPUTS])
{
    __REAL__ y[N_OUTPUTS];
    if (!predict_outputs(__GIVEN__, y))
        return false;
    for (int k = 0; k < N_OUTPUTS; k++)
        answer[k] = __ANSWER__;
    return true;
}
#endif

#ifdef MAIN
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_TESTS = __N_TESTS__ };
// __CASES__
static const double TOLERANCE = __TOLERANCE__;

/* Whether a number is what it should be, but for rounding. */
static bool close_to(double got, double expected)
{
    return fabs(got - expected) <= TOLERANCE * fmax(1, fabs(expected));
}

/* The exit status: 0 where all test cases give what they should, else 1. */
static int test(void)
{
    int failed = 0;
    for (int t = 0; t < N_TESTS; t++) {
        __REAL__ y[N_OUTPUTS];
        bool right = predict_outputs(TEST_ROWS[t], y);
        for (int k = 0; right && k < N_OUTPUTS; k++)
            right = close_to(y[k], TEST_OUTPUTS[t][k]);
#if has_classes
        right = right && predict(TEST_ROWS[t]) == TEST_ANSWERS[t];
#endif
#if in_units
        double answer[N_OUTPUTS];
        right = right && predict(TEST_ROWS[t], answer);
        for (int k = 0; right && k < N_OUTPUTS; k++)
            right = close_to(answer[k], TEST_ANSWERS[t][k]);
#endif
        if (!right) {
            printf("FAILED: test case %d\n", t);
            failed = 1;
        }
    }
    if (!failed)
        printf("ok: %d test cases\n", N_TESTS);
    return failed;
}

static void fail(const char *what, const char *cell)
{
    fprintf(stderr, "error: %s%s\n", what, cell);
    exit(1);
}

#if !reads_cells
/* A text as a number; an empty one is a missing number. */
static double number(const char *cell)
{
    char *end;
    double value = strtod(cell, &end);
    if (end[strspn(end, " \t\r")] != '\0')
        fail("not a number: ", cell);
    return end == cell ? NAN : value;
}
#endif
// __MAIN_CELLS__

/* Print the answer for a row of n cells. */
static void show(const char *const cells[], int n)
{
    if (n != N_COLUMNS)
        fail("expected __N_COLUMNS__ cells", "");
#if !has_columns
    double row[N_INPUTS];
    for (int i = 0; i < N_INPUTS; i++)
        row[i] = __NUMBER__;
#endif
#if has_classes
    int k = predict(__GIVEN__);
    if (k < 0)
        fail("an input is not a finite number", "");
    puts(CLASSES[k]);
#endif
#if !has_classes
    double answer[N_OUTPUTS];
    if (!predict(__GIVEN__, answer))
        fail("an input is not a finite number", "");
    for (int k = 0; k < N_OUTPUTS; k++)
        printf(__FORMAT__, answer[k], k + 1 < N_OUTPUTS ? ',' : '\n');
#endif
}

enum { LONGEST_CELL = 1000, MOST_CELLS = N_COLUMNS + 1000 };

/* Read a cell, perhaps in quotes, and give what stands behind it: a comma, the end of a line, or EOF. */
static int read_cell(char cell[LONGEST_CELL])
{
    int length = 0, c;
    bool quoted = false;
    while ((c = getchar()) != EOF && (quoted || (c != ',' && c != '\n'))) {
        if (c == '"' && (quoted || length == 0)) {
            int next = quoted ? getchar() : 0;
            if (next != '"') {
                quoted = !quoted;
                if (next != 0)
                    ungetc(next, stdin);
                continue;
            }
        }
        if (length == LONGEST_CELL - 1)
            fail("a cell is too long", "");
        cell[length++] = (char)c;
    }
    length -= length > 0 && cell[length - 1] == '\r';
    cell[length] = '\0';
    return c;
}

/* The column that a cell names, else -1. */
static int column_named(const char *cell)
{
    if (strncmp(cell, "\357\273\277", 3) == 0) /* a byte order mark */
        cell += 3;
    for (int i = 0; i < N_COLUMNS; i++)
        if (strcmp(cell, __NAMES__[i]) == 0)
            return i;
    return -1;
}

/* Print the answer for each line of standard input; the first may name the columns, in any order. */
static void show_lines(void)
{
    static char line[N_COLUMNS][LONGEST_CELL], cell[LONGEST_CELL];
    static int places[MOST_CELLS], named[MOST_CELLS]; /* the column that each cell of a line belongs to */
    const char *cells[N_COLUMNS];
    int width = N_COLUMNS, end = ',';
    for (int i = 0; i < N_COLUMNS; i++)
        cells[places[i] = i] = line[i];
    for (bool first = true; end != EOF;) {
        int n = 0, known = 0;
        do {
            if (n == MOST_CELLS)
                fail("a line has too many cells", "");
            end = read_cell(cell);
            known += (named[n] = column_named(cell)) >= 0;
            if (n < width && places[n] >= 0)
                strcpy(line[places[n]], cell);
            n++;
        } while (end == ',');
        if (n == 1 && cell[strspn(cell, " \t")] == '\0')
            continue; /* an empty line */
        if (first && known == N_COLUMNS)
            memcpy(places, named, (size_t)(width = n) * sizeof *named);
        else if (n != width)
            fail("a line has too few or too many cells; cells are separated by commas", "");
        else
            show(cells, N_COLUMNS);
        first = false;
    }
}

/* Check the test cases; or answer the numbers given, or each line of standard input. */
int main(int argc, char *argv[])
{
    if (argc == 1)
        return test();
    if (argc == 2 && strcmp(argv[1], "-") == 0) {
        show_lines();
        return 0;
    }
    show((const char *const *)argv + 1, argc - 1);
    return 0;
}
#endif
