"""Sources of the two libraries that Wine 8 lacks; see `windows_python.py`.

A complex number of the C runtime is a structure of its real and its imaginary part. The formulas
are the textbook's (Abramowitz and Stegun, chapter 4): good to some units in the last place away
from the branch cuts and from overflow, which is all that importing and testing needs.
"""

from __future__ import annotations

PARTS = ("creal", "cimag", "cabs", "carg")
"""From a complex number to a real one."""
FUNCTIONS = (
    *("cexp", "clog", "csqrt", "conj", "cproj"),
    *("csin", "ccos", "ctan", "csinh", "ccosh", "ctanh"),
    *("casin", "cacos", "catan", "casinh", "cacosh", "catanh"),
)
"""From a complex number to a complex one."""
KINDS = ("", "f", "l")
"""Endings of the names: double, single, and long double, which is double on Windows."""

SOURCE = """
double exp(double), log(double), sqrt(double), sin(double), cos(double);
double sinh(double), cosh(double), atan2(double, double);
typedef struct { double r, i; } Z;
typedef struct { float r, i; } F;
int _fltused = 0;
int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }

static Z of(double r, double i) { Z z; z.r = r; z.i = i; return z; }
static Z plus(Z a, Z b) { return of(a.r + b.r, a.i + b.i); }
static Z times(Z a, Z b) { return of(a.r * b.r - a.i * b.i, a.r * b.i + a.i * b.r); }
static Z over(Z a, Z b) {
  double n = b.r * b.r + b.i * b.i;
  return of((a.r * b.r + a.i * b.i) / n, (a.i * b.r - a.r * b.i) / n);
}
static double length(double a, double b) {
  double t;
  a = a < 0 ? -a : a;
  b = b < 0 ? -b : b;
  if (a < b) { t = a; a = b; b = t; }
  if (a == 0) return 0;
  b /= a;
  return a * sqrt(1 + b * b);
}

double our_creal(Z z) { return z.r; }
double our_cimag(Z z) { return z.i; }
double our_cabs(Z z) { return length(z.r, z.i); }
double our_carg(Z z) { return atan2(z.i, z.r); }
Z our_conj(Z z) { return of(z.r, -z.i); }
Z our_cproj(Z z) { return z; }
Z our_cexp(Z z) { double e = exp(z.r); return of(e * cos(z.i), e * sin(z.i)); }
Z our_clog(Z z) { return of(log(length(z.r, z.i)), atan2(z.i, z.r)); }
Z our_csqrt(Z z) {
  double m = length(z.r, z.i), r = sqrt((m + z.r) / 2), i = sqrt((m - z.r) / 2);
  return of(r, z.i < 0 ? -i : i);
}
Z our_csin(Z z) { return of(sin(z.r) * cosh(z.i), cos(z.r) * sinh(z.i)); }
Z our_ccos(Z z) { return of(cos(z.r) * cosh(z.i), -sin(z.r) * sinh(z.i)); }
Z our_ctan(Z z) { return over(our_csin(z), our_ccos(z)); }
Z our_csinh(Z z) { return of(sinh(z.r) * cos(z.i), cosh(z.r) * sin(z.i)); }
Z our_ccosh(Z z) { return of(cosh(z.r) * cos(z.i), sinh(z.r) * sin(z.i)); }
Z our_ctanh(Z z) { return over(our_csinh(z), our_ccosh(z)); }
Z our_casinh(Z z) { return our_clog(plus(z, our_csqrt(plus(times(z, z), of(1, 0))))); }
Z our_cacosh(Z z) {
  Z up = our_csqrt(plus(z, of(1, 0))), down = our_csqrt(plus(z, of(-1, 0)));
  return our_clog(plus(z, times(up, down)));
}
Z our_catanh(Z z) {
  Z a = our_clog(over(plus(of(1, 0), z), plus(of(1, 0), of(-z.r, -z.i))));
  return of(a.r / 2, a.i / 2);
}
Z our_casin(Z z) { return times(of(0, -1), our_casinh(times(of(0, 1), z))); }
Z our_cacos(Z z) { Z a = our_casin(z); return of(1.5707963267948966 - a.r, -a.i); }
Z our_catan(Z z) { return times(of(0, -1), our_catanh(times(of(0, 1), z))); }
Z our_cpow(Z a, Z b) {
  if (a.r == 0 && a.i == 0) return of(b.r == 0 && b.i == 0, 0);
  return our_cexp(times(b, our_clog(a)));
}
Z our_cpowl(Z a, Z b) { return our_cpow(a, b); }
F our_cpowf(F a, F b) {
  Z w = our_cpow(of(a.r, a.i), of(b.r, b.i));
  F f; f.r = (float)w.r; f.i = (float)w.i; return f;
}
"""
PRNG = """
__declspec(dllimport) unsigned char SystemFunction036(void *, unsigned long);
int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }
int ProcessPrng(unsigned char *where, unsigned long long left) {
  while (left) {
    unsigned long part = left > 65536 ? 65536 : (unsigned long)left;
    SystemFunction036(where, part);
    where += part;
    left -= part;
  }
  return 1;
}
"""


def complex_source() -> str:
    """The C runtime's functions of complex numbers, in all three kinds."""
    lines = [SOURCE]
    for name in PARTS:
        lines.append(f"double our_{name}l(Z z) {{ return our_{name}(z); }}")
        lines.append(f"float our_{name}f(F z) {{ return (float)our_{name}(of(z.r, z.i)); }}")
    for name in FUNCTIONS:
        lines.append(f"Z our_{name}l(Z z) {{ return our_{name}(z); }}")
        lines.append(
            f"F our_{name}f(F z) {{ Z w = our_{name}(of(z.r, z.i));"
            " F f; f.r = (float)w.r; f.i = (float)w.i; return f; }"
        )
    return "\n".join(lines)


def complex_definitions(names: set[str]) -> str:
    """What the library offers: ours, and Wine's NAMES handed on to its own, renamed, library."""
    ours = {name + kind for name in (*PARTS, *FUNCTIONS, "cpow") for kind in KINDS}
    lines = [
        f"{name}=our_{name}" if name in ours else f"{name}=ucrtwine.{name}"
        for name in sorted(names | ours)
    ]
    return "\n".join(("LIBRARY ucrtbase.dll", "EXPORTS", *lines))


def renamed_definitions() -> str:
    """What our formulas are made of, from Wine's own library."""
    names = ("exp", "log", "sqrt", "sin", "cos", "sinh", "cosh", "atan2")
    return "\n".join(("LIBRARY ucrtwine.dll", "EXPORTS", *names))


def prng_source() -> str:
    """Random bytes, from the function that Wine has."""
    return PRNG


def prng_definitions() -> str:
    """What the library offers."""
    return "LIBRARY bcryptprimitives.dll\nEXPORTS\nProcessPrng"
