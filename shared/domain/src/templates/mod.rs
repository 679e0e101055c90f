//! Templates: messages that a provider approves before they may be sent.

mod filled;
mod template;

pub use filled::{FilledTemplate, TemplateValue};
pub use template::draft::{
    Button, CODE_BODY, CodeOptions, Header, Line, MAX_CODE_LENGTH, MAX_DRAFT_BODY_LENGTH, MAX_DRAFT_BUTTONS,
    MAX_LINE_LENGTH, MAX_LINK_LENGTH, MAX_SAMPLE_LENGTH, Press, Sample, TemplateCategory, TemplateContent,
};
pub use template::id::{InvalidTemplateId, TemplateId};
pub use template::library::{Entry, LIBRARY, Topic, find_in_library, library_sources};
pub use template::lint::{
    LARGEST_SAMPLE, Lint, MAX_FOOTER_LENGTH, MAX_FOUND, MAX_META_BUTTONS, Through, TwilioType, is_meta_language,
    lint_draft,
};
pub use template::listed::ListedNames;
pub use template::reports::{
    Accepted, MAX_REASON_LENGTH, MAX_STATUS_LENGTH, NotNow, ReportedContent, SUBMISSION, Submission, reason_line,
};
pub use template::shown::{Direction, ShownButton, ShownTemplate, ShownValues, shown_draft};
pub use template::sync::{Cause, DOUBT, LastSync, SyncTemplates, Synced, sync_operation};
pub use template::{
    ButtonKind, MAX_BODY_LENGTH, MAX_HEADER_LENGTH, MAX_SMS_LENGTH, Misfit, ParameterFormat, TemplateButton,
    TemplateDefinition, TemplateKey, TemplateReport, TemplateStatus, Unfit, fill_variables, variables_in,
};
pub(crate) use template::{braces, check_length};
