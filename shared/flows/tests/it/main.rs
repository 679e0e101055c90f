//! The flows as used by functions.

mod campaigns;
