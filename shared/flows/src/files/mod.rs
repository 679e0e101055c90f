//! Files that operations write row by row.

mod file_steps;

pub use file_steps::{FileSteps, StepLimit};
