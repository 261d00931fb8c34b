/* The complex functions that the C runtime of Wine 8 lacks and numpy asks for, made of MinGW's.

   Names without the "own_" as Windows has them; there a long double is a double. A pair is handed
   over as a structure of two numbers, which is how Microsoft's compiler does it. */
#include <complex.h>

typedef struct { double re, im; } pair;
typedef struct { float re, im; } small;

static double complex in(pair z)
{
    double complex number;
    __real__ number = z.re;
    __imag__ number = z.im;
    return number;
}

static pair out(double complex number)
{
    pair z = { __real__ number, __imag__ number };
    return z;
}

static pair wide(small z)
{
    pair same = { z.re, z.im };
    return same;
}

static small narrow(pair z)
{
    small same = { (float)z.re, (float)z.im };
    return same;
}

#define PAIR(name) \
    pair own_##name(pair z) { return out(name(in(z))); } \
    small own_##name##f(small z) { return narrow(own_##name(wide(z))); }

#define NUMBER(name) \
    double own_##name(pair z) { return name(in(z)); } \
    float own_##name##f(small z) { return (float)own_##name(wide(z)); }

#define POWER(name) \
    pair own_##name(pair a, pair b) { return out(name(in(a), in(b))); } \
    small own_##name##f(small a, small b) { return narrow(own_##name(wide(a), wide(b))); }

PAIR(cacos)
PAIR(cacosh)
PAIR(casin)
PAIR(casinh)
PAIR(catan)
PAIR(catanh)
PAIR(ccos)
PAIR(ccosh)
PAIR(cexp)
PAIR(clog)
PAIR(conj)
PAIR(cproj)
PAIR(csin)
PAIR(csinh)
PAIR(csqrt)
PAIR(ctan)
PAIR(ctanh)
NUMBER(cabs)
NUMBER(carg)
NUMBER(cimag)
NUMBER(creal)
POWER(cpow)
