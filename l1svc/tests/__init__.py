"""The tests of l1svc, which are installed with it: `pytest --pyargs l1svc.tests`."""
