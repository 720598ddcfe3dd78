"""`interlock doctor`: is Interlock in force, and who could change that? One small function for each check.

look            reads the cluster, each thing at most once
interception    armed, answered, complete, in force
guards          how many, whom they answer, how fresh what they know is
certificates    how long they last
fences          the admission policies around Interlock's own namespace
powers, grants  what RBAC allows to whom
command         runs them all, and prints
"""
