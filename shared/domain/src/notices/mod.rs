//! Notices: what the people of a business are told by mail, and who gets it.

mod mailing;
mod notice;

pub use mailing::{MAX_DESCRIBED, MAX_MAILINGS, MAX_TOLD, Mailing, Mailings, NoticeState};
use notice::midnight;
pub use notice::{DOUBTED, EndpointTrouble, MAX_WAITING, Matter, Notice, NoticeKind, Present, Waiting, Watch, day_of};
