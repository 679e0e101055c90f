//! Exports of other products, by the suggested mapping alone: whoever is in them arrives with the right first number, and no row is lost for an
//! optional cell.

use serde_json::{Value, to_value};
use sheet::mapping::Target;
use sheet::preview::records;
use sheet::row::Row;
use sheet::suggest::{numbers_left_out, suggest};

use crate::detecting::detect_dialect;
use crate::importing::{context, fields, stages};

/// An export of a product.
struct Export {
    /// Its header, as the product writes it.
    header: &'static str,
    /// Rows: their cells by the names of the columns, and the contact as JSON. A contact's remarks are the names of the columns only.
    rows: &'static [(&'static str, &'static str)],
    /// The suggested columns of telephone numbers, in their order.
    numbers: &'static str,
    /// The columns that are named as left out.
    left_out: &'static str,
}

const OUTLOOK_FOR_WINDOWS: Export = Export {
    header: "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,Business Postal Code,\
             Assistant's Phone,Business Fax,Business Phone,Business Phone 2,Callback,Car Phone,Company Main Phone,Home Fax,Home Phone,\
             Home Phone 2,ISDN,Mobile Phone,Other Fax,Other Phone,Pager,Primary Phone,Radio Phone,TTY/TDD Phone,Telex,Account,Anniversary,\
             Assistant's Name,Birthday,Categories,E-mail Address,E-mail Type,E-mail Display Name,E-mail 2 Address,Gender,Government ID Number,\
             Language,Notes,Organizational ID Number,Priority,Private,User 1,Web Page",
    rows: &[
        (
            "First Name=Maya|Middle Name=Layla|Last Name=Haddad|Assistant's Phone=043330004|Business Fax=043330001\
             |Business Phone=04 333 0000|Company Main Phone=043330002|Home Phone=04 333 0009|Mobile Phone=050 123 4567|Pager=043330003|Anniversary=0/0/00\
             |Birthday=0/0/00|Government ID Number=784-1990-1234567-1|E-mail Address=Maya@example.com|E-mail Type=SMTP|Gender=Unspecified\
             |Priority=Normal|Private=False",
            r#"{"name": "Maya Layla Haddad", "phones": ["+971501234567", "+97143330009", "+97143330000"],
                "emails": ["maya@example.com"], "remarks": ["Birthday"]}"#,
        ),
        (
            "First Name=Omar|Company=Saffron|Business Phone=+971 (4) 333-0005|Home Phone=call me|Birthday=5/3/1990|E-mail Address=omar@\
             |E-mail 2 Address=omar@example.com",
            r#"{"name": "Omar", "phones": ["+97143330005"], "emails": ["omar@example.com"], "fields": {"birthday": "1990-03-05"},
                "remarks": ["Home Phone", "E-mail Address"]}"#,
        ),
    ],
    numbers: "Mobile Phone|Primary Phone|Home Phone|Home Phone 2|Business Phone|Business Phone 2|Car Phone|Other Phone",
    left_out: "Assistant's Phone|Business Fax|Company Main Phone|Pager",
};

const OUTLOOK_ON_THE_WEB: Export = Export {
    header: "First Name,Middle Name,Last Name,Title,Suffix,Nickname,Given Yomi,Surname Yomi,E-mail Address,E-mail 2 Address,E-mail 3 Address,\
             Home Phone,Home Phone 2,Business Phone,Business Phone 2,Mobile Phone,Car Phone,Other Phone,Primary Phone,Pager,Business Fax,\
             Home Fax,Other Fax,Company Main Phone,Callback,Radio Phone,Telex,TTY/TDD Phone,IMAddress,Job Title,Company,Birthday,Notes",
    rows: &[(
        "First Name=Maya|E-mail Address=maya@example.com|E-mail 2 Address=maya@saffron.example|Home Phone=04 333 0000\
         |Business Phone=043330005|Mobile Phone=+971501234567|Primary Phone=0501234567|Home Fax=043330001|Birthday=--04-12",
        r#"{"name": "Maya", "phones": ["+971501234567", "+97143330000", "+97143330005"],
            "emails": ["maya@example.com", "maya@saffron.example"], "remarks": ["Birthday"]}"#,
    )],
    numbers: "Mobile Phone|Primary Phone|Home Phone|Home Phone 2|Business Phone|Business Phone 2|Car Phone|Other Phone",
    left_out: "Home Fax",
};

const GOOGLE: Export = Export {
    header: "First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Nickname,File As,Organization Name,Birthday,Notes,Photo,Labels,\
             E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,\
             Phone 2 - Value,Phone 3 - Label,Phone 3 - Value,Address 1 - Postal Code",
    rows: &[
        (
            "First Name=Maya|Labels=* myContacts|E-mail 1 - Label=* Work|E-mail 1 - Value=maya@example.com|Phone 1 - Label=Work Fax\
             |Phone 1 - Value=04 333 0001|Phone 2 - Label=Work|Phone 2 - Value=04 333 0000|Phone 3 - Label=Mobile\
             |Phone 3 - Value=+971 50 123 4567|Birthday= --04-12",
            r#"{"name": "Maya", "phones": ["+971501234567", "+97143330000"], "emails": ["maya@example.com"], "remarks": ["Birthday"]}"#,
        ),
        (
            "First Name=عمر|Last Name=حداد|Labels=VIP ::: * myContacts|Phone 1 - Label=Mobile\
             |Phone 1 - Value=050 123 4568 ::: +971 55 123 4568|Phone 2 - Label=متجر|Phone 2 - Value=04 333 0000",
            r#"{"name": "عمر حداد", "phones": ["+971501234568", "+971551234568", "+97143330000"], "tags": ["VIP"]}"#,
        ),
    ],
    numbers: "Phone 1 - Value|Phone 2 - Value|Phone 3 - Value",
    left_out: "",
};

const HUBSPOT: Export = Export {
    header: "Record ID - Contact,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Contact owner,Primary Associated Company ID,\
             Last Activity Date,Lead Status,Marketing contact status,Unsubscribed from all email,Create Date,Associated Company",
    rows: &[(
        "Record ID - Contact=501234560|First Name=Maya|Email=maya@example.com|Mobile Phone Number=+971 50 123 4567\
         |Contact owner=Omar Haddad|Primary Associated Company ID=12125550123|Lead Status=Open deal|Marketing contact status=Marketing contact\
         |Unsubscribed from all email=true|Create Date=2026-11-20 10:00",
        r#"{"name": "Maya", "phones": ["+971501234567"], "emails": ["maya@example.com"]}"#,
    )],
    numbers: "Mobile Phone Number|Phone Number",
    left_out: "",
};

const MAILCHIMP: Export = Export {
    header: "Email Address,First Name,Last Name,Address,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,\
             LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS",
    rows: &[(
        "Email Address=maya@example.com|First Name=Maya|Phone Number=050 123 4567|Birthday=04/12|MEMBER_RATING=2\
         |OPTIN_TIME=2026-11-20 09:58:12|OPTIN_IP=198.51.100.27|CONFIRM_TIME=2026-11-20 10:00:00|CONFIRM_IP=198.51.100.27\
         |LATITUDE=25.2048000|LONGITUDE=55.2708000|CC=AE|LAST_CHANGED=2026-11-20 10:00:00|LEID=501234560|EUID=89501affba|TAGS=\"VIP\"",
        r#"{"name": "Maya", "phones": ["+971501234567"], "emails": ["maya@example.com"], "tags": ["VIP"], "remarks": ["Birthday"]}"#,
    )],
    numbers: "Phone Number",
    left_out: "",
};

const KLAVIYO: Export = Export {
    header: "Email,Klaviyo ID,First Name,Last Name,Organization,Title,Phone Number,Address,City,Zip Code,Latitude,IP Address,Source,\
             Email Marketing Consent,SMS Marketing Consent",
    rows: &[
        (
            "Email=maya@example.com|Klaviyo ID=01HQ5C1YNYC000|First Name=Maya|Phone Number='+971501234567|City=Dubai|IP Address=198.51.100.27\
             |Source=-59|Email Marketing Consent=SUBSCRIBED|SMS Marketing Consent=NEVER_SUBSCRIBED",
            r#"{"name": "Maya", "phones": ["+971501234567"], "emails": ["maya@example.com"], "fields": {"city": "Dubai"}, "source": "-59",
            "opted_in_sms": "unknown"}"#,
        ),
        (
            "Email=omar@example.com|First Name=Omar|Phone Number='+971501234568|Email Marketing Consent=SUBSCRIBED|SMS Marketing Consent=UNSUBSCRIBED",
            r#"{"name": "Omar", "phones": ["+971501234568"], "emails": ["omar@example.com"], "opted_in_sms": "unsubscribed"}"#,
        ),
    ],
    numbers: "Phone Number",
    left_out: "",
};

const SHOPIFY: Export = Export {
    header: "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address City,\
             Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,\
             Total Spent,Total Orders,Note,Tax Exempt,Tags",
    rows: &[(
        "Customer ID='7012345678901|First Name=Maya|Email=maya@example.com|Accepts Email Marketing=yes|Default Address Country Code=AE\
             |Default Address Phone=04 333 0000|Phone='+971501234567|Accepts SMS Marketing=yes|Total Spent=150.00|Total Orders=3|Tax Exempt=no\
             |Tags=\"VIP, regular\"",
        r#"{"name": "Maya", "phones": ["+971501234567", "+97143330000"], "emails": ["maya@example.com"], "tags": ["VIP", "regular"],
                "opted_in_sms": "yes"}"#,
    )],
    numbers: "Phone|Default Address Phone",
    left_out: "",
};

const SQUARE: Export = Export {
    header: "Reference ID,First Name,Last Name,Email Address,Phone Number,Nickname,Company Name,Street Address 1,Street Address 2,City,State,\
             Postal Code,Birthday,Memo,Square Customer ID,Creation Source,First Visit,Last Visit,Transaction Count,Lifetime Spend,\
             Email Subscription Status,Instant Profile",
    rows: &[(
        "Reference ID=501234560|First Name=Maya|Phone Number=+971501234567|City=Dubai|Birthday=1990-04-12|Creation Source=Merge\
         |First Visit=2026-11-20|Transaction Count=3|Lifetime Spend=$150.00|Email Subscription Status=unknown|Instant Profile=No",
        r#"{"name": "Maya", "phones": ["+971501234567"], "fields": {"birthday": "1990-04-12", "city": "Dubai"}}"#,
    )],
    numbers: "Phone Number",
    left_out: "",
};

const ZOHO: Export = Export {
    header: "Record Id,Contact Owner.id,Contact Owner,Lead Source,First Name,Last Name,Account Name.id,Account Name,Email,Title,Department,Phone,\
             Home Phone,Other Phone,Fax,Mobile,Date of Birth,Assistant,Asst Phone,Email Opt Out,Created By.id,Mailing City,Mailing Zip,Tag",
    rows: &[(
        "Record Id=zcrm_501234560|Contact Owner.id=zcrm_501234561|Contact Owner=Omar Haddad|Lead Source=Fair|First Name=Maya\
         |Email=maya@example.com|Phone=04 333 0000|Fax=043330001|Mobile=0501234567|Asst Phone=043330002|Email Opt Out=true|Tag=VIP",
        r#"{"name": "Maya", "phones": ["+971501234567", "+97143330000"], "emails": ["maya@example.com"], "tags": ["VIP"], "source": "Fair"}"#,
    )],
    numbers: "Mobile|Phone|Home Phone|Other Phone",
    left_out: "Fax|Asst Phone",
};

const WATI: Export = Export {
    header: "Name,CountryCode,Phone,AllowBroadcast,AllowSMS,Attribute 1",
    rows: &[
        (
            "Name=Maya|CountryCode=971|Phone=501234567|AllowBroadcast=TRUE|AllowSMS=TRUE|Attribute 1=0501234560",
            r#"{"name": "Maya", "phones": ["+971501234567"], "opted_in_whatsapp": "yes", "opted_in_sms": "yes"}"#,
        ),
        (
            "Name=Omar|CountryCode=966|Phone=502425874|AllowBroadcast=FALSE|AllowSMS=TRUE",
            r#"{"name": "Omar", "phones": ["+966502425874"], "opted_in_whatsapp": "no", "opted_in_sms": "yes"}"#,
        ),
    ],
    numbers: "Phone",
    left_out: "Attribute 1",
};

const ODOO: Export = Export {
    header: "External ID,Name,Phone,Mobile,Email,Salesperson,City,Country,Tags",
    rows: &[(
        "External ID=__export__.res_partner_7|Name=Maya Haddad|Phone=+971 4 333 0000|Mobile=050 123 4567|Email=maya@example.com\
         |Salesperson=Mitchell Admin|City=Dubai|Country=United Arab Emirates|Tags=\"VIP,Regular\"",
        r#"{"name": "Maya Haddad", "phones": ["+971501234567", "+97143330000"], "emails": ["maya@example.com"],
            "tags": ["VIP", "Regular"], "fields": {"city": "Dubai"}}"#,
    )],
    numbers: "Mobile|Phone",
    left_out: "",
};

const EXPORTS: [&Export; 11] = [
    &OUTLOOK_FOR_WINDOWS,
    &OUTLOOK_ON_THE_WEB,
    &GOOGLE,
    &HUBSPOT,
    &MAILCHIMP,
    &KLAVIYO,
    &SHOPIFY,
    &SQUARE,
    &ZOHO,
    &WATI,
    &ODOO,
];

impl Export {
    /// The table with all of its rows.
    fn table(&self) -> String {
        let names: Vec<&str> = self.header.split(',').collect();
        let line = |cells: &str| {
            let given: Vec<(&str, &str)> = cells.split('|').filter_map(|cell| cell.split_once('=')).collect();
            assert!(given.iter().all(|(name, _)| names.contains(name)), "{cells}");
            let cell = |name: &&str| {
                given
                    .iter()
                    .find(|(given, _)| given == name)
                    .map_or("", |(_, cell)| *cell)
            };
            names.iter().map(cell).collect::<Vec<_>>().join(",")
        };
        let lines: Vec<String> = self.rows.iter().map(|(cells, _)| line(cells)).collect();
        format!("{}\r\n{}\r\n", self.header, lines.join("\r\n"))
    }
}

#[test]
fn exports_of_other_products_arrive_whole() {
    let fields = fields();
    for export in EXPORTS {
        let names: Vec<&str> = export.header.split(',').collect();
        let table = export.table();
        let dialect = detect_dialect(table.as_bytes()).unwrap();
        let context = context(&dialect, &fields);
        let samples = records(table.as_bytes(), true, &context, 20);
        let mapping = suggest(&samples, &stages(), &context);
        assert_eq!(mapping.problems(names.len(), &fields), [], "{}", export.header);
        let numbers = mapping.columns.iter().filter(|column| column.target == Target::Phone);
        let numbers: Vec<&str> = numbers.map(|column| names[column.index()]).collect();
        assert_eq!(numbers.join("|"), export.numbers, "{}", export.header);
        let left_out = numbers_left_out(&samples, &mapping, &context);
        assert_eq!(left_out.join("|"), export.left_out, "{}", export.header);
        assert_eq!(samples.len(), export.rows.len());
        for (record, (cells, expected)) in samples.iter().zip(export.rows) {
            let row = Row::of(record, &mapping, &context);
            let mut contact = to_value(row.unwrap()).unwrap();
            for remark in contact["remarks"].as_array_mut().into_iter().flatten() {
                *remark = remark["column"].take();
            }
            if let Some(contact) = contact.as_object_mut().filter(|contact| contact["remarks"].is_null()) {
                contact.remove("remarks");
            }
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(contact, expected, "{cells}");
        }
    }
}
