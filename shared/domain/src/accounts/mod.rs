//! People who use Ringback: their accounts, log-ins and preferences, what they may do, and what the audit log says of them.

mod account;
mod api_key;
mod audit;
mod interface;
mod permission;
mod security;

pub use account::{
    ACCESS_LIFETIME, Account, Credential, EndedSessions, Grant, Invitation, MEANWHILE, Member, MemberStatus,
    PasswordHash, PersonName, Presented, REFRESH_GRACE, SealedFactor, SecondFactor, Session, SignUp,
};
pub use api_key::{ApiKey, KeySecret, LastUsed};
pub use audit::{AUDIT_LIFETIME, Action, AuditEntry, FieldChange, Look, MAX_AUDIT_DAYS, field_changes};
pub use interface::{
    Clock, Density, InterfacePreferences, NoticeMails, Notifications, Numerals, QuietTime, SendKey, Theme,
};
pub use permission::{InvalidPermission, InvalidRole, Permission, Role, granted_permissions, permits};
pub use security::{SecurityEvent, SecurityEventKind};
