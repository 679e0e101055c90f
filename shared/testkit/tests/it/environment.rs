//! Variables that functions read against those that the template gives them.
