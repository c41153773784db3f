"""What each level of access means, said to people."""

from __future__ import annotations

from collections.abc import Mapping

from klik.domain.rights import Level

MEANINGS: Mapping[Level, tuple[str, ...]] = {
    Level.KOMBIT_ADMINISTRATOR: (
        "Udgive, rette og slette KLIK-opgaver og følge alle 98 kommuner",
        "Give adgang til personer i KOMBIT, hos leverandører og i kommunerne",
        "Se drift og hændelser",
    ),
    Level.KOMBIT_EDITOR: (
        "Udgive og rette KLIK-opgaver og varsle sletning",
        "Følge alle 98 kommuner og skrive kommentarer",
    ),
    Level.SUPPLIER: (
        "Se KLIK-opgaver og fremdrift for de systemer, virksomheden har ansvar for",
        "Ikke se kommunernes personer, roller, kommentarer og lokale opgaver",
    ),
    Level.ADMINISTRATOR: (
        "Ændre alle kommunens opgaver og oprette lokale opgaver",
        "Give kommunens medarbejdere adgang og holde rollegalleriet opdateret",
        "Hente opgaver, før de slettes",
    ),
    Level.PLUS_USER: (
        "Ændre alle kommunens opgaver og oprette lokale opgaver",
        "Få besked om nye opgaver for de systemer, man følger",
        "Hente opgaver, før de slettes",
    ),
    Level.USER: (
        "Ændre de opgaver, hvor man selv er ansvarlig eller udfører",
        "Se alle kommunens opgaver og skrive kommentarer",
    ),
    Level.READER: ("Se alle kommunens opgaver og roller", "Hente lister og opgaver som filer"),
}
