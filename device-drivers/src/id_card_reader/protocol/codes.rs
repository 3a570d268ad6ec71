//! Code tables of the card: sex (GB/T 2261.1) and ethnic groups (GB/T 3304).

/// The word for a sex code; `None` for anything that is no code. "Not 1" is never taken for female.
pub fn sex(code: &str) -> Option<&'static str> {
    match code {
        "0" => Some("未知"),
        "1" => Some("男"),
        "2" => Some("女"),
        "9" => Some("未说明"),
        _ => None,
    }
}

/// The 56 groups of the standard, code 01 first.
const GROUPS: [&str; 56] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

/// The name of an ethnic group by its two digits; 97 and 98 come from the ID system, not from the standard.
pub fn ethnic_group(code: &str) -> Option<&'static str> {
    match code {
        "97" => Some("其他"),
        "98" => Some("外国血统中国籍人士"),
        _ if code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit()) => {
            let number: usize = code.parse().ok()?;
            GROUPS.get(number.checked_sub(1)?).copied()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ethnic_group, sex};
    use crate::vectors::{list, load, text};

    #[test]
    fn codes_follow_the_standards() {
        let groups = load("ethnic_groups.json");
        for group in list(&groups, "groups").iter().chain(list(&groups, "extra")) {
            assert_eq!(ethnic_group(text(group, "code")), Some(text(group, "name")));
        }
        for wrong in ["00", "57", "99", "1", "001", "", "  ", "+1", "汉"] {
            assert_eq!(ethnic_group(wrong), None, "{wrong:?}");
        }
        let sexes = load("sex.json");
        for code in list(&sexes, "codes") {
            assert_eq!(sex(text(code, "code")), Some(text(code, "short")));
        }
        for wrong in list(&sexes, "invalid") {
            assert_eq!(sex(wrong.as_str().unwrap()), None);
        }
    }
}
