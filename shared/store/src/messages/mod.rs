//! Messages in both directions, their media, and the templates and other material that they are made from.

mod links;
mod material;
mod media;
mod message;
mod portfolio;
mod templates;
mod throughput;

pub use links::{NewLink, TrackedWrite};
pub use material::LegMaterial;
pub(crate) use material::{SKU, keys_of, keys_of_leg, template_key};
pub use media::{KnownMedium, MEDIA_LANE};
pub(crate) use media::{attachment_row, file_key, medium_row};
pub use message::{Reference, ReferenceVersion, ToSend};
pub(crate) use message::{message_row, received_row, reference_row};
pub use templates::{Noted, Swept, TemplateFilter};
#[cfg(test)]
pub(crate) use throughput::throughput_span;
