"""Running code that a model wrote: the solution in one sandbox, the tests in another, plain data between them.

A solution that shares a process with its tests can pass them without solving anything: end the process, make `==` true,
patch the test framework, read the expected values. Here the solution sees nothing but the arguments it is called with,
and what it returns arrives as data; the comparison happens where its code never runs.
"""
