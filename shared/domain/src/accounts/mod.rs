//! People who use Ringback: their accounts, log-ins and preferences, what they may do, what the audit log says of them, and what they
//! are told by mail.

mod account;
mod api_key;
mod audit;
mod interface;
mod mailing;
mod notice;
mod permission;
mod security;

pub use account::{
    ACCESS_LIFETIME, Account, Credential, Email, EndedSessions, Grant, InvalidEmail, InvalidSlug, Invitation,
    MEANWHILE, Member, MemberStatus, PasswordHash, PersonName, Presented, REFRESH_GRACE, SealedFactor, SecondFactor,
    Session, SignUp, Slug,
};
pub use api_key::{ApiKey, KeySecret, LastUsed};
pub use audit::{AUDIT_LIFETIME, Action, AuditEntry, FieldChange, Look, MAX_AUDIT_DAYS, field_changes};
pub use interface::{
    Clock, Density, InterfacePreferences, NoticeMails, Notifications, Numerals, QuietTime, SendKey, Theme,
};
pub use mailing::{MAX_DESCRIBED, MAX_MAILINGS, MAX_TOLD, Mailing, Mailings, NoticeState};
use notice::midnight;
pub use notice::{DOUBTED, MAX_WAITING, Matter, Notice, NoticeKind, Present, Waiting, Watch, day_of};
pub use permission::{InvalidPermission, InvalidRole, Permission, Role, granted_permissions, permits};
pub use security::{SecurityEvent, SecurityEventKind};
