//! Lines: a number to call, a WhatsApp number and an SMS sender that belong together, so that the answer to a call comes from
//! the line that the customer called.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tenants::{Account, BusinessHours, Connection};
use crate::terms::{Channel, ConnectionId, FieldProblem, LineId, MAX_NAME_LENGTH, OneLine, Phone, Resource as _};

/// Maximum lines per tenant.
pub const MAX_LINES: usize = 50;

resource! {
    /// A line of a tenant.
    pub struct Line of LineId;

    /// The fields of a line.
    pub struct LineIn {
        /// Display name.
        #[cfg_attr(feature = "schema", schemars(example = "Marina branch"))]
        pub name: OneLine<1, MAX_NAME_LENGTH>,
        /// Number that customers call, unique among the tenant's lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
        pub number: Option<Phone>,
        /// Connection that sends its WhatsApp messages. Lines can share it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub whatsapp: Option<ConnectionId>,
        /// Connection that sends its SMS. Lines can share it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub sms: Option<SmsSender>,
        /// Business hours of the line. Without them, the tenant's hours apply. The tenant's holidays apply in both cases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub business_hours: Option<BusinessHours>,
    }
}

/// Sender of SMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SmsSender {
    /// The connection.
    pub connection: ConnectionId,
    /// Number of the connection. If omitted, the connection's usual sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Phone>,
}

impl SmsSender {
    /// The connection as a sender: with the called number if it has several numbers.
    fn of(connection: &Connection, called: Option<&Phone>) -> Self {
        let number = match &connection.account {
            Account::Twilio(twilio) if twilio.messaging_service_sid.is_none() && twilio.numbers.len() > 1 => {
                called.filter(|called| twilio.numbers.contains(called))
            }
            _ => None,
        };
        Self {
            connection: connection.id,
            number: number.cloned(),
        }
    }
}

impl Line {
    /// The connection that sends its messages by this channel.
    pub fn connection(&self, channel: Channel) -> Option<ConnectionId> {
        match channel {
            Channel::WhatsApp => self.whatsapp,
            Channel::Sms => self.sms.as_ref().map(|sms| sms.connection),
        }
    }

    /// The number of the connection that sends by this channel, where the line names one.
    pub fn sender(&self, channel: Channel) -> Option<&Phone> {
        match channel {
            Channel::WhatsApp => None,
            Channel::Sms => self.sms.as_ref()?.number.as_ref(),
        }
    }

    pub const fn hours(&self) -> Option<&BusinessHours> {
        self.business_hours.as_ref()
    }

    /// Problems of the line by itself, by field. Empty: none.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let hours = self.hours().map(|hours| hours.problems("business_hours"));
        hours.unwrap_or_default()
    }
}

/// The line with this id.
pub fn line_by_id(lines: &[Line], id: LineId) -> Option<&Line> {
    lines.iter().find(|line| line.id == id)
}

/// The line whose number was called.
pub fn called_line<'a>(lines: &'a [Line], number: &Phone) -> Option<&'a Line> {
    lines.iter().find(|line| line.number.as_ref() == Some(number))
}

/// The line that a customer wrote to by this channel: through this connection and, if the provider reports it, to this number.
/// `None` if no line has it, or several share it.
pub fn line_written_to<'a>(
    lines: &'a [Line],
    channel: Channel,
    connection: ConnectionId,
    number: Option<&Phone>,
) -> Option<&'a Line> {
    let of_connection = |line: &&Line| line.connection(channel) == Some(connection);
    let only = |matches: &dyn Fn(&&Line) -> bool| {
        let mut found = lines.iter().filter(matches);
        found.next().map(|first| (first, found.next().is_none()))
    };
    let sends_from = |line: &&Line| number.is_some() && of_connection(line) && line.sender(channel) == number;
    let is_called = |line: &&Line| channel == Channel::Sms && number.is_some() && line.number.as_ref() == number;
    let usual = |line: &&Line| of_connection(line) && line.sender(channel).is_none();
    let (line, alone) = only(&sends_from)
        .or_else(|| only(&is_called))
        .or_else(|| only(&usual))?;
    alone.then_some(line)
}

/// The first line of a tenant, made at this time from its connections, oldest first: the first listed number that reports calls, and the
/// connections that answer its calls without lines. `None` if none of them exists.
pub fn first_line(id: LineId, connections: &[Connection], at: Timestamp) -> Option<Line> {
    let mut connections: Vec<&Connection> = connections.iter().collect();
    connections.sort_by_key(|one| one.id);
    let called = connections
        .iter()
        .copied()
        .find(|one| !one.account.numbers().is_empty());
    let number = called.and_then(|one| one.account.numbers().first()).cloned();
    let carrier = |channel| {
        let mut preferred = called.into_iter().chain(connections.iter().copied());
        preferred.find(|one| one.carries(channel))
    };
    let whatsapp = carrier(Channel::WhatsApp).map(|one| one.id);
    let sms = carrier(Channel::Sms).map(|one| SmsSender::of(one, number.as_ref()));
    let named = number.is_some() || whatsapp.is_some() || sms.is_some();
    named.then(|| Line {
        id,
        name: OneLine::from_stored("Main line"),
        number,
        whatsapp,
        sms,
        business_hours: None,
        created_at: at,
        updated_at: at,
    })
}

/// The line to write at this time for a new connection: the first line, or the only line with its empty fields filled from the
/// connection. `None`: none. `connections` are all of the tenant's, including the new one.
pub fn line_to_set_up(lines: &[Line], connections: &[Connection], new: &Connection, at: Timestamp) -> Option<Line> {
    match lines {
        // The first line has the same id, should the connection be created again.
        [] => first_line(LineId::new(new.id.ulid()), connections, at),
        [only] => complete_line(only, connections, new).map(|line| line.changed_at(at)),
        _ => None,
    }
}

fn complete_line(only: &Line, connections: &[Connection], new: &Connection) -> Option<Line> {
    let mut line = only.clone();
    let lacks = |channel| {
        let named = only.connection(channel);
        named.is_none_or(|id| connections.iter().all(|one| one.id != id))
    };
    if line.number.is_none() {
        line.number = new.account.numbers().first().cloned();
    }
    if lacks(Channel::WhatsApp) && new.carries(Channel::WhatsApp) {
        line.whatsapp = Some(new.id);
    }
    if lacks(Channel::Sms) && new.carries(Channel::Sms) {
        line.sms = Some(SmsSender::of(new, line.number.as_ref()));
    }
    (line != *only).then_some(line)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use jiff::SignedDuration;
    use serde_json::{from_value, json};

    use super::*;
    use crate::samples::connections;

    const RECEPTION: &str = "+97143330000";
    const KITCHEN: &str = "+97143330001";

    fn phone(text: &str) -> Phone {
        text.parse().unwrap()
    }

    fn at() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn id() -> LineId {
        "line_00000000000000000000000009".parse().unwrap()
    }

    fn telephony(numbers: &[&str]) -> Connection {
        from_value(json!({
            "id": "conn_00000000000000000000000000", "name": "PBX", "verify": "",
            "account": {"kind": "telephony", "numbers": numbers},
        }))
        .unwrap()
    }

    fn twilio(numbers: &[&str]) -> Connection {
        let mut twilio = connections().remove(0);
        if let Account::Twilio(account) = &mut twilio.account {
            account.numbers = numbers.iter().map(|number| phone(number)).collect();
        }
        twilio
    }

    /// The first line answers as calls were answered without it.
    #[test]
    fn first_line_comes_from_the_connections() {
        let [twilio_one, whatsapp] = <[Connection; 2]>::try_from(connections()).unwrap();
        let line = first_line(id(), &[twilio_one.clone(), whatsapp.clone()], at()).unwrap();
        assert_eq!(line.number, Some(phone(RECEPTION)));
        assert_eq!(line.whatsapp, Some(whatsapp.id));
        let sms = |number| SmsSender {
            connection: twilio_one.id,
            number,
        };
        assert_eq!(line.sms, Some(sms(None)));
        assert_eq!(line.problems(), []);

        // A connection that reports the calls and sends is preferred to an older one.
        let mut sends = twilio_one.clone();
        if let Account::Twilio(account) = &mut sends.account {
            account.whatsapp_sender = Some(phone(RECEPTION));
        }
        let line = first_line(id(), &[whatsapp, sends], at()).unwrap();
        assert_eq!(line.whatsapp, Some(twilio_one.id));

        // Of several numbers, the called one sends; a number that another system reports sends nothing.
        let line = first_line(id(), &[twilio(&[KITCHEN, RECEPTION])], at()).unwrap();
        assert_eq!(
            (line.number, line.sms),
            (Some(phone(KITCHEN)), Some(sms(Some(phone(KITCHEN)))))
        );
        let line = first_line(
            id(),
            &[telephony(&["+97143330009"]), twilio(&[KITCHEN, RECEPTION])],
            at(),
        )
        .unwrap();
        assert_eq!(line.sms, Some(sms(None)));

        assert_eq!(first_line(id(), &[], at()), None);
        assert_eq!(first_line(id(), &[telephony(&[])], at()), None);
    }

    #[test]
    fn only_line_takes_what_it_lacks() {
        let [twilio, whatsapp] = <[Connection; 2]>::try_from(connections()).unwrap();
        let both = [twilio.clone(), whatsapp.clone()];
        let first = line_to_set_up(&[], from_ref(&whatsapp), &whatsapp, at()).unwrap();
        assert_eq!(
            (&first.number, first.whatsapp, &first.sms),
            (&None, Some(whatsapp.id), &None)
        );
        assert_eq!(first.id.ulid(), whatsapp.id.ulid());

        let later = at() + SignedDuration::from_hours(1);
        let whole = line_to_set_up(from_ref(&first), &both, &twilio, later).unwrap();
        assert_eq!(
            (whole.id, &whole.number, whole.whatsapp),
            (first.id, &Some(phone(RECEPTION)), first.whatsapp)
        );
        assert_eq!(whole.sms.as_ref().map(|sms| sms.connection), Some(twilio.id));
        assert_eq!((first.created_at, first.updated_at), (at(), at()));
        assert_eq!((whole.created_at, whole.updated_at), (at(), later));
        // Twice is once, and a further connection brings nothing that is lacking.
        assert_eq!(line_to_set_up(from_ref(&whole), &both, &twilio, at()), None);
        let mut other = whatsapp.clone();
        other.id = "conn_00000000000000000000000004".parse().unwrap();
        let three = [twilio.clone(), whatsapp, other.clone()];
        assert_eq!(line_to_set_up(from_ref(&whole), &three, &other, at()), None);
        // Of a connection that is gone, another takes the place.
        let left = [twilio.clone(), other.clone()];
        assert_eq!(
            line_to_set_up(from_ref(&whole), &left, &other, at()).unwrap().whatsapp,
            Some(other.id)
        );
        // Of several lines, nobody knows which one is meant.
        assert_eq!(line_to_set_up(&[first, whole], &both, &twilio, at()), None);
    }

    #[test]
    fn written_to_is_the_line_that_alone_is_meant() {
        let [twilio, whatsapp] = <[Connection; 2]>::try_from(connections()).unwrap();
        let line = |place: u64, number: &str, sender: Option<&str>| Line {
            id: LineId::new(ulid::Ulid::from_parts(place, 0)),
            name: OneLine::from_stored("Line"),
            number: Some(phone(number)),
            whatsapp: None,
            sms: Some(SmsSender {
                connection: twilio.id,
                number: sender.map(phone),
            }),
            business_hours: None,
            created_at: at(),
            updated_at: at(),
        };
        let mut lines = vec![line(1, RECEPTION, Some(KITCHEN)), line(2, "+97143330002", None)];
        lines[0].whatsapp = Some(whatsapp.id);
        let sms = |lines: &[Line], number: Option<&str>| {
            let number = number.map(phone);
            let found = line_written_to(lines, Channel::Sms, twilio.id, number.as_ref());
            found.map(|line| line.id.ulid().timestamp_ms())
        };
        for (number, expected) in [
            (Some(KITCHEN), Some(1)),
            (Some("+97143330002"), Some(2)),
            (Some(RECEPTION), Some(1)),
            (Some("+97143330005"), Some(2)),
            (None, Some(2)),
        ] {
            assert_eq!(sms(&lines, number), expected, "{number:?}");
        }
        let by_whatsapp = |lines: &[Line]| {
            let found = line_written_to(lines, Channel::WhatsApp, whatsapp.id, None);
            found.map(|line| line.id.ulid().timestamp_ms())
        };
        assert_eq!(by_whatsapp(&lines), Some(1));
        lines.push(Line {
            whatsapp: Some(whatsapp.id),
            ..line(3, "+97143330003", None)
        });
        assert_eq!(by_whatsapp(&lines), None, "two lines share the number");
        assert_eq!(sms(&lines, None), None, "two lines share the sender");
        assert_eq!(by_whatsapp(&[]), None);
    }
}
