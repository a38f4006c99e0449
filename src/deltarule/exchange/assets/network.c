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
#define __N_OUTPUTS__ 1
#define __N_TESTS__ 1
#define __SCALED__ row[i]
#define __TOLERANCE__ 1e-9
#define __FORMAT__ "%.15g%c"
#define __ANSWER__ y[k]
#define has_softmax 1
#define in_units 1
static const double TEST_ROWS[1][2] = {{0, 0}}, TEST_OUTPUTS[1][1] = {{0}}, TEST_ANSWERS[1][1] = {{0}};
#endif

enum { N_INPUTS = __N_INPUTS__, N_OUTPUTS = __N_OUTPUTS__ };

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

/* A row of numbers as layer 1 takes it; false where one is not finite. */
static bool inputs(const double row[N_INPUTS], __REAL__ x[N_INPUTS])
{
    for (int i = 0; i < N_INPUTS; i++) {
        x[i] = __SCALED__;
        if (!isfinite(x[i]))
            return false;
    }
    return true;
}

/* The __OUTPUTS__ of the network for a row; false where an input is not finite. */
bool predict_outputs(const double row[N_INPUTS], __REAL__ outputs[N_OUTPUTS])
{
    __REAL__ x[N_INPUTS];
    if (!inputs(row, x))
        return false;
    // __LAYERS__
    return true;
}
#if largest_class

/* The place in CLASSES of the largest output, or -1 where an input is not finite. */
int predict(const double row[N_INPUTS])
{
    __REAL__ y[N_OUTPUTS];
    int best = 0;
    if (!predict_outputs(row, y))
        return -1;
    for (int k = 1; k < N_OUTPUTS; k++)
        if (y[k] > y[best])
            best = k;
    return best;
}
#endif
#if second_class

/* The place in CLASSES: 1 where the output is above 0.5, else 0; or -1 where an input is not finite. */
int predict(const double row[N_INPUTS])
{
    __REAL__ y[N_OUTPUTS];
    return predict_outputs(row, y) ? y[0] > 0.5 : -1;
}
#endif
#if !has_classes

/* The outputs for a row, in their units; false where an input is not finite. */ // if in_units
/* The outputs for a row; false where an input is not finite. */ // if bare_outputs
bool predict(const double row[N_INPUTS], double answer[N_OUTPUTS])
{
    __REAL__ y[N_OUTPUTS];
    if (!predict_outputs(row, y))
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

/* A text as a number; an empty one is a missing number. */
static double number(const char *cell)
{
    char *end;
    double value = strtod(cell, &end);
    if (end[strspn(end, " \t\r")] != '\0')
        fail("not a number: ", cell);
    return end == cell ? NAN : value;
}

/* Print the answer for a row of n numbers. */
static void show(const double row[], int n)
{
#if has_classes
    int k = n == N_INPUTS ? predict(row) : -1;
    if (k < 0)
        fail("expected __N_INPUTS__ finite numbers", "");
    puts(CLASSES[k]);
#endif
#if !has_classes
    double answer[N_OUTPUTS];
    if (n != N_INPUTS || !predict(row, answer))
        fail("expected __N_INPUTS__ finite numbers", "");
    for (int k = 0; k < N_OUTPUTS; k++)
        printf(__FORMAT__, answer[k], k + 1 < N_OUTPUTS ? ',' : '\n');
#endif
}

/* Print the answer for each line of standard input. */
static void show_lines(void)
{
    double row[N_INPUTS];
    int n = 0, c;
    do {
        char cell[100];
        size_t length = 0;
        while ((c = getchar()) != ',' && c != '\n' && c != EOF)
            if (length < sizeof cell - 1)
                cell[length++] = (char)c;
            else
                fail("a cell is too long", "");
        cell[length] = '\0';
        if (c != ',' && n == 0 && cell[strspn(cell, " \t\r")] == '\0')
            continue; /* an empty line */
        if (n < N_INPUTS)
            row[n] = number(cell);
        n++;
        if (c != ',') {
            show(row, n);
            n = 0;
        }
    } while (c != EOF);
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
    double row[N_INPUTS];
    for (int i = 0; i < N_INPUTS && i + 1 < argc; i++)
        row[i] = number(argv[i + 1]);
    show(row, argc - 1);
    return 0;
}
#endif
