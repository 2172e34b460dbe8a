"""The classical algorithms as functions of arrays: each formula on one screen.

NumPy alone: the estimators of `dotori.learn` are thin shells over these functions, and
what is fitted here predicts where nothing but NumPy is installed.
"""
