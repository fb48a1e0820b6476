"""Our own lists of demographic terms, by category, for `minbert.demographics.terms_in_text`.

Each list is `{category: {placeholder: "term, term, ..."}}`, terms in lower case unless their
capital matters; a space in a term stands for spaces or hyphens. A placeholder `x/y` means `x`
before a noun and `y` elsewhere: "her book" and "saw her". Every placeholder is a plain word of
BERT's vocabulary and no listed term. "Child", "kid" and "adult" are no terms: they say a role as
often as an age, and "daughter" becomes one of them.
"""

from __future__ import annotations

CATEGORIES = (
    "pronoun",
    "gender",
    "title",
    "nationality",
    "ethnicity",
    "religion",
    "age",
    "orientation",
    "disability",
)

Terms = dict[str, dict[str, str]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Masked in any case. "He" and "she" are in terms_in_text.py: their verbs change with them.
TERMS: Terms = {
    "pronoun": {
        "their/them": "her",
        "their/theirs": "his",
        "them": "him, him or her, her or him, him/her, her/him",
        "their": "his or her, her or his, his/her, her/his",
        "theirs": "hers, his or hers",
        "themselves": "himself, herself, himself or herself, himself/herself",
    },
    "gender": {
        "particular/person": "male, female",
        "person": "man, woman, guy, dude, bloke, lad, lass, gal, boy, girl, gentleman, lady, "
        "tomboy, bridesmaid, bachelorette",
        "people": "men, women, males, females, guys, dudes, blokes, lads, lasses, gals, boys, "
        "girls, gentlemen, ladies, tomboys, bridesmaids, ladies and gentlemen, men and women, "
        "boys and girls, womenfolk, menfolk",
        "humanity": "mankind, womankind",
        "friend": "sir, madam, ma'am",
        "parent": "mother, father, mom, mum, mommy, dad, daddy, stepmother, stepfather",
        "parents": "mothers, fathers, moms, mums, mommies, dads, daddies, stepmothers, stepfathers",
        "family": "motherhood, fatherhood, sisterhood, brotherhood",
        "child": "son, daughter, stepson, stepdaughter, schoolboy, schoolgirl",
        "children": "sons, daughters, stepsons, stepdaughters, schoolboys, schoolgirls",
        "sibling": "brother, sister, stepbrother, stepsister",
        "siblings": "brothers, sisters, stepbrothers, stepsisters",
        "relative": "aunt, uncle, niece, nephew, grandmother, grandfather, grandma, grandpa, "
        "granddaughter, grandson, mother in law, father in law, sister in law, brother in law, "
        "daughter in law, son in law",
        "relatives": "aunts, uncles, nieces, nephews, grandmothers, grandfathers, grandmas, "
        "grandpas, granddaughters, grandsons, mothers in law, sisters in law, brothers in law",
        "partner": "husband, wife, boyfriend, girlfriend, bride, bridegroom, fiance, fiancé, "
        "fiancee, fiancée, widow, widower, housewife, first lady",
        "partners": "husbands, wives, boyfriends, girlfriends, brides, widows, widowers, "
        "housewives",
        "lover": "mistress",
        "lovers": "mistresses",
        "actor": "actress",
        "actors": "actresses",
        "server": "waitress",
        "servers": "waitresses",
        "host": "hostess",
        "hosts": "hostesses",
        "attendant": "stewardess",
        "officer": "policeman, policewoman",
        "officers": "policemen, policewomen",
        "worker": "fireman, workman, craftsman, handyman, repairman",
        "workers": "firemen, workmen, craftsmen, repairmen",
        "fisher": "fisherman",
        "carrier": "postman, mailman",
        "chair": "chairman, chairwoman",
        "executive": "businessman, businesswoman",
        "executives": "businessmen, businesswomen",
        "seller": "salesman, saleswoman",
        "sellers": "salesmen, saleswomen",
        "delegate": "congressman, congresswoman",
        "delegates": "congressmen, congresswomen",
        "spokesperson": "spokesman, spokeswoman",
        "shooter": "gunman",
        "shooters": "gunmen",
        "athlete": "sportsman, sportswoman",
        "athletes": "sportsmen, sportswomen",
        "owner": "landlady, landlord",
        "owners": "landladies, landlords",
        "singer": "songstress",
        "comedian": "comedienne",
        "hero": "heroine",
        "heroes": "heroines",
        "god": "goddess",
        "gods": "goddesses",
        "priest": "priestess",
        "heir": "heiress",
        "sorcerer": "sorceress",
        "noble": "nobleman, noblewoman, duchess, countess, baroness",
        "nobles": "noblemen, noblewomen",
    },
    "nationality": {
        "national": "afghan, american, argentine, argentinian, australian, austrian, bangladeshi, "
        "belgian, bolivian, brazilian, british, bulgarian, cambodian, canadian, chilean, chinese, "
        "colombian, croatian, cuban, czech, dutch, egyptian, ethiopian, european, filipino, "
        "filipina, finnish, french, german, ghanaian, greek, haitian, hungarian, icelandic, "
        "indian, indonesian, iranian, iraqi, irish, israeli, italian, jamaican, japanese, "
        "jordanian, kenyan, korean, kuwaiti, lebanese, libyan, malaysian, mexican, moroccan, "
        "nepalese, nepali, nigerian, north korean, norwegian, pakistani, palestinian, persian, "
        "peruvian, portuguese, romanian, russian, saudi, scottish, serbian, singaporean, somali, "
        "south african, south korean, soviet, spaniard, spanish, sri lankan, sudanese, swedish, "
        "swiss, syrian, taiwanese, thai, tibetan, tunisian, turkish, ukrainian, venezuelan, "
        "vietnamese, welsh, yemeni, englishman, englishwoman, irishman, frenchman, dutchman",
        "nationals": "afghans, americans, argentines, argentinians, australians, austrians, "
        "bangladeshis, belgians, brazilians, brits, bulgarians, canadians, chileans, colombians, "
        "croatians, cubans, czechs, egyptians, ethiopians, europeans, filipinos, germans, greeks, "
        "haitians, hungarians, indians, indonesians, iranians, iraqis, israelis, italians, "
        "jamaicans, jordanians, kenyans, koreans, malaysians, mexicans, moroccans, nigerians, "
        "north koreans, norwegians, pakistanis, palestinians, persians, peruvians, romanians, "
        "russians, saudis, scots, serbians, serbs, singaporeans, somalis, south africans, "
        "south koreans, spaniards, sri lankans, syrians, tibetans, tunisians, turks, ukrainians, "
        "venezuelans, englishmen, irishmen, frenchmen",
    },
    "ethnicity": {
        "ethnic/person": "african american, asian, asian american, african, arab, aboriginal, "
        "caucasian, hispanic, latin american, latino, latina, latinx, native american, inuit, "
        "kurd, kurdish, bengali, tamil, punjabi, gujarati, maori, gypsy, biracial, mixed race",
        "people": "african americans, asians, asian americans, africans, arabs, aborigines, "
        "caucasians, hispanics, latin americans, latinos, latinas, native americans, kurds, "
        "bengalis, tamils, punjabis, gujaratis, gypsies, blacks, people of color, people of colour",
        "person": "person of color, person of colour",
    },
    "religion": {
        "religious/believer": "muslim, christian, catholic, roman catholic, protestant, hindu, "
        "buddhist, jew, sikh, mormon, atheist, agnostic, anglican, lutheran, methodist, "
        "evangelical, pagan, quaker, shiite, sunni, shia, jehovah's witness",
        "religious": "islamic, jewish, amish",
        "believers": "muslims, christians, catholics, protestants, hindus, buddhists, jews, "
        "sikhs, jains, mormons, atheists, agnostics, anglicans, lutherans, methodists, "
        "evangelicals, pagans, quakers, shiites, sunnis, jehovah's witnesses",
        "religion": "islam, christianity, catholicism, protestantism, hinduism, buddhism, "
        "judaism, sikhism, jainism, mormonism, atheism",
    },
    "age": {
        "particular/person": "teen, twentysomething, twenty something, thirtysomething, "
        "thirty something",
        "particular": "teenage, middle aged",
        "particular/people": "elderly, gen z",
        "person": "teenager, preteen, tween, toddler, youngster, senior citizen, pensioner, "
        "millennial, baby boomer, octogenarian, septuagenarian, nonagenarian, centenarian",
        "people": "teens, teenagers, adolescents, juveniles, preteens, tweens, toddlers, "
        "youngsters, youths, senior citizens, pensioners, millennials, baby boomers, "
        "octogenarians, septuagenarians, twentysomethings, twenty somethings, thirty somethings",
    },
    "orientation": {
        "particular/person": "gay, lesbian, homosexual, heterosexual, bisexual, transgender, "
        "transgendered, transsexual, transexual, queer, asexual, pansexual, nonbinary, "
        "non binary, genderqueer, genderfluid, cisgender, intersex, transvestite",
        "particular": "lgbt, lgbtq, lgbtqia",
        "people": "gays, lesbians, homosexuals, heterosexuals, bisexuals, transsexuals, "
        "transvestites, transgenders",
        "orientation": "homosexuality, heterosexuality, bisexuality, asexuality, lesbianism",
        "performer": "drag queen, drag king",
        "performers": "drag queens, drag kings",
    },
    "disability": {
        "particular/people": "deaf, autistic, dyslexic, mentally ill, mentally challenged, "
        "mentally disabled, physically disabled, physically challenged, visually impaired, "
        "hearing impaired, hard of hearing, learning disabled, wheelchair bound, schizophrenic, "
        "paraplegic, quadriplegic, retarded, special needs",
        "person": "cripple, retard, midget, amputee, wheelchair user, person with disabilities, "
        "person with a disability",
        "people": "cripples, retards, midgets, amputees, paraplegics, quadriplegics, "
        "schizophrenics, wheelchair users, people with disabilities",
        "condition": "disability, autism, asperger's, aspergers, asperger's syndrome, dyslexia, "
        "deafness, blindness, down syndrome, cerebral palsy",
        "conditions": "disabilities",
    },
}

# Everyday words too: masked before a word of PERSON_NOUNS, after "the" without a noun ("the
# blind"), and after "I am" without one.
ONLY_OF_PEOPLE: Terms = {
    "nationality": {"national": "english, polish, danish, scotch"},
    "ethnicity": {"ethnic/people": "black, white, brown, indigenous, native, coloured, colored"},
    "age": {
        "particular/people": "old, older, young, younger, aged, ageing, aging, juvenile, adolescent"
    },
    "orientation": {"particular/people": "straight, trans, cis, bi"},
    "disability": {
        "particular/people": "blind, mute, disabled, handicapped, crippled, bipolar, impaired"
    },
}
PERSON_NOUNS = _words("""
    person people folk folks man men woman women boy boys girl girls guy guys dude lady ladies
    gentleman gentlemen male males female females child children kid kids adult adults teenager
    teenagers teen teens couple couples actor actors actress actresses student students character
    characters driver drivers officer officers worker workers voter voters immigrant immigrants
    slave slaves american americans african africans national nationals christian christians jew
    jews muslims believers citizen citizens lives hero heroes mother father wife husband parents
""")

# Masked in lower case only: with a capital they are mostly names (a band, a firm, a river).
ONLY_LOWER_CASE: Terms = {
    "title": {
        "ruler": "king, queen, emperor, empress",
        "rulers": "kings, queens, emperors",
        "royal": "prince, princess",
        "royals": "princes, princesses",
        "noble": "duke",
        "lord": "baron",
    }
}
# Masked with exactly these capitals: "polish" is a verb and a swede is a vegetable.
ONLY_CAPITALISED: Terms = {
    "nationality": {"national": "Polish, Danish, Swede", "nationals": "Poles, Danes, Swedes"},
    "ethnicity": {"people": "Whites"},
}
TITLES: Terms = {"title": {"Mx": "Mr, Mrs, Ms"}}
TITLES_BEFORE_NAMES: Terms = {"title": {"Mx": "Miss, Sir, Dame, Lady, Lord, Madam, Madame"}}

# Left as they are: here the listed words name no group of people.
KEPT_PHRASES = """
    year old, years old, yr old, yrs old, month old, months old, oh boy, oh man, you guys, man up,
    no man's land, isle of man, man of steel, men in black, man of the match, spider man, iron man,
    bat man, wonder woman, mother tongue, mother tongues, earth mother, mother nature, mother earth,
    mother teresa, mother board, mother ship, father christmas, founding fathers, big brother,
    sister company, sister city, boy band, boy bands, boy scout, boy scouts, girl scout, girl
    scouts, chick flick, son of a bitch, lady gaga, lady bug, lady luck, king kong, king size, king
    sized, burger king, stephen king, martin luther king, queen bee, drama queen, drama queens,
    beauty queen, indian ocean, french fries, french fry, french toast, french kiss, american
    express, american idol, american airlines, american beauty, american pie, american football,
    european union, european commission, european parliament, arab emirates, saudi arabia, czech
    republic, dominican republic, central african republic, british columbia, british airways, greek
    letter, greek letters, german shepherd, german shepherds, swiss army knife, chinese whispers,
    russian roulette, asian games, male connector, female connector, retarded growth, deaf ears,
    deaf ear, tone deaf, christian bale, christian grey, christian slater, christian dior, hans
    christian
"""

# Also names of languages: left after SPEAKING, before LANGUAGE_WORDS, and after "in", "into",
# "to", "from" where no noun follows.
LANGUAGES = _words("""
    english french german spanish italian portuguese dutch russian polish danish swedish norwegian
    finnish greek turkish hungarian romanian bulgarian ukrainian czech welsh irish chinese japanese
    korean vietnamese thai tibetan nepali indonesian somali bengali tamil punjabi gujarati kurdish
""")
SPEAKING = _words("""
    speak speaks speaking spoke spoken learn learns learned learning study studies studied studying
    teach teaches teaching read reading write writing written understand understands know
""")
LANGUAGE_WORDS = _words("""
    language languages speaking speaker speakers grammar vocabulary alphabet word words sentence
    sentences translation translations translator dictionary subtitles lesson lessons accent
""")

# Words that don't continue a noun phrase: before one, "her" is "them" and "a Muslim" a believer.
FUNCTION_WORDS = _words("""
    a about after again against ago all almost along also always am an and any anymore anything are
    aren't around as at away because been before behind being but by came can can't come could did
    didn't do does doesn't don't down during either enough even ever every everything feel for
    forget from get gets go goes had has have he here how however i if in instead into is isn't it
    just know laugh like look may me might miss more much must my near need never no nor not now of
    off on once only or our out over please say see seem she should since smile so some something
    still such talk tell than that the their them then there these they think this those though
    through to today together tomorrow tonight too toward towards understand under unless until up
    upon us want was we were what when where whether which while who whom why will with within
    without would yesterday yet you your
""")

OPENERS = _words("what why how when where who whom which nor neither and but so then if")
DETERMINERS = _words("a an the this that another every each any no one")
