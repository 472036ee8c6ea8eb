//! A results folder becomes one HTML page.
