"""Lines that shops, offices and schools print beside their name and address: telephone, mail, tax and company numbers.

Invented, in the manners of many countries. Where few examples show few shops, a model learns those shops' lines; what
it has to learn is that such lines are nobody's value.
"""

import random
import string

_PHONE = ("TEL", "TEL NO", "TEL.", "TELEPHONE", "PHONE", "PHONE NO.", "T", "H/P", "MOBILE", "HOTLINE", "CALL", "TÉL.")
_FAX = ("FAX", "FAX NO", "F", "TELEFAX", "TEL/FAX", "FAX.")
_TAX = ("GST ID", "GST NO", "GST REG NO", "GST REG. NO.", "TAX ID", "VAT NO", "VAT REG", "SST NO", "SST ID", "TIN",
        "NIU", "TAX REG NO", "SERVICE TAX NO")  # fmt: skip
_COMPANY = ("CO. REG. NO", "COMPANY NO", "CO NO", "REG NO", "ROC NO", "ROC", "BRN", "SSM NO", "RC", "RCCM", "CO-REG",
            "COMPANY REG. NO.", "BUSINESS REG")  # fmt: skip
_COLONS = (" : ", ": ", ":", " ", " :", ". ")
_SHOPS = ("shop", "info", "sales", "contact", "mystore", "service", "hello", "cafe", "market")
_HOSTS = ("gmail.com", "yahoo.com", "example.com.my", "shop.cm", "mail.net", "hotmail.com")


def contact(rng: random.Random) -> str:
    """One such line, in capitals more often than not."""
    text = rng.choices((_phone, _fax, _tax, _company, _mail, _bare), (34, 12, 24, 14, 8, 8))[0](rng)
    if rng.random() < 0.18:
        text = f"({text})"
    return text if rng.random() < 0.8 else text.capitalize()


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _number(rng: random.Random) -> str:
    a, b, c = _digits(rng, rng.choice((2, 3))), _digits(rng, rng.choice((3, 4))), _digits(rng, 4)
    return rng.choice((
        f"0{a}-{b}{c}", f"0{a}-{b} {c}", f"+60{a}-{b}{c}", f"(+603) {b} {c}", f"0{a}{b}{c}", f"({a}) {b}-{c}",
        f"+237 6{b} {c}", f"0{a}-{b}{c} / {b}{c[::-1]}", f"603-{b}{c}", f"1-300-{b[:2]}-{c}", f"1 800 {b} {c}",
    ))  # fmt: skip


def _phone(rng: random.Random) -> str:
    text = rng.choice(_PHONE) + rng.choice(_COLONS) + _number(rng)
    return text + rng.choice((" ", "  ", " / ", " | ")) + _fax(rng) if rng.random() < 0.25 else text


def _fax(rng: random.Random) -> str:
    return rng.choice(_FAX) + rng.choice(_COLONS) + _number(rng)


def _tax(rng: random.Random) -> str:
    return rng.choice(_TAX) + rng.choice(_COLONS) + _digits(rng, rng.choice((9, 10, 12, 12, 12)))


def _company(rng: random.Random) -> str:
    number = rng.choice((f"{_digits(rng, 6)}-{rng.choice(string.ascii_uppercase)}", _digits(rng, 12), _digits(rng, 7)))
    return rng.choice(_COMPANY) + rng.choice(_COLONS) + number


def _mail(rng: random.Random) -> str:
    name = rng.choice(_SHOPS) + rng.choice(("", _digits(rng, 2), "." + rng.choice(_SHOPS)))
    address = rng.choice((f"{name}@{rng.choice(_HOSTS)}", f"www.{name}.com", f"http://www.{name}.com.my"))
    return (rng.choice(("EMAIL: ", "E-MAIL : ", "WEB: ", "", "")) + address).upper()


def _bare(rng: random.Random) -> str:
    return rng.choice((f"({_digits(rng, 6)}-{rng.choice(string.ascii_uppercase)})", _number(rng), _digits(rng, 12)))
