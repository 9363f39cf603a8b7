"""Sentences about nothing in particular, the same in several languages.

A question's cosines to them tell how similar it is to text that has nothing to do with it, in
each language: what "relevant" is measured against, whatever the index holds.
"""

REFERENCE = {
    "en": (
        "The train leaves at half past six and stops at every small station along the river.",
        "Peel the potatoes, boil them in salted water and add a little butter before serving.",
        "The match ended in a draw after both goalkeepers had saved a penalty.",
        "Tomatoes need sun and regular watering; tie the stems to a stick when they grow tall.",
        "The tenant pays the rent by the fifth day of each month to the owner's account.",
        "She painted mostly landscapes, and her early works hang in the town museum.",
        "Take one tablet twice a day after meals and see a doctor if the cough lasts.",
        "Heavy rain is expected in the south, with strong wind on the coast in the evening.",
        "The bicycle's chain should be cleaned and oiled before the winter.",
        "The council voted to build a new school beside the old market hall.",
    ),
    "zh": (
        "火车六点半出发,沿着河边的每个小站都会停靠。",
        "把土豆削皮,用盐水煮熟,上桌前加一点黄油。",
        "两位守门员都扑出了点球,比赛最终以平局结束。",
        "西红柿需要阳光和定期浇水,长高以后要把茎绑在木棍上。",
        "租客应在每月五日之前把租金汇入房东的账户。",
        "她主要画风景,早期作品挂在镇上的博物馆里。",
        "每天两次,每次一片,饭后服用,如果咳嗽不止请看医生。",
        "预计南部有大雨,傍晚沿海地区有大风。",
        "入冬之前应该清洗自行车的链条并上油。",
        "市议会投票决定在旧市场旁边建一所新学校。",
    ),
    "ru": (
        "Поезд отправляется в половине седьмого и останавливается на каждой станции у реки.",
        "Очистите картофель, сварите в солёной воде и перед подачей добавьте немного масла.",
        "Матч закончился вничью после того, как оба вратаря отбили по пенальти.",
        "Помидорам нужны солнце и регулярный полив; высокие стебли подвязывают к палке.",
        "Жилец вносит плату за квартиру до пятого числа каждого месяца на счёт владельца.",
        "Она писала в основном пейзажи, её ранние работы висят в городском музее.",
        "Принимайте по одной таблетке дважды в день после еды; если кашель не пройдёт, "
        "обратитесь к врачу.",
        "На юге ожидается сильный дождь, вечером на побережье сильный ветер.",
        "Перед зимой цепь велосипеда нужно почистить и смазать.",
        "Совет проголосовал за строительство новой школы рядом со старым рынком.",
    ),
    "hu": (
        "A vonat fél hétkor indul, és a folyó mentén minden kis állomáson megáll.",
        "Hámozd meg a krumplit, főzd meg sós vízben, és tálalás előtt adj hozzá kevés vajat.",
        "A mérkőzés döntetlennel ért véget, miután mindkét kapus hárított egy tizenegyest.",
        "A paradicsomnak napfény és rendszeres öntözés kell; a magas szárakat karóhoz kötjük.",
        "A bérlő minden hónap ötödikéig fizeti a lakbért a tulajdonos számlájára.",
        "Főleg tájképeket festett, korai művei a városi múzeumban láthatók.",
        "Naponta kétszer egy tablettát vegyen be étkezés után, és forduljon orvoshoz, ha a "
        "köhögés nem múlik.",
        "Délen erős eső várható, este a parton viharos széllel.",
        "A kerékpár láncát a tél előtt meg kell tisztítani és olajozni.",
        "A tanács megszavazta, hogy a régi vásárcsarnok mellett új iskola épüljön.",
    ),
    "de": (
        "Der Zug fährt um halb sieben ab und hält an jedem kleinen Bahnhof am Fluss.",
        "Kartoffeln schälen, in Salzwasser kochen und vor dem Servieren etwas Butter zugeben.",
        "Das Spiel endete unentschieden, nachdem beide Torhüter einen Elfmeter gehalten hatten.",
        "Tomaten brauchen Sonne und regelmäßig Wasser; hohe Stiele bindet man an einen Stab.",
        "Der Mieter zahlt die Miete bis zum fünften Tag jedes Monats auf das Konto des Besitzers.",
        "Sie malte vor allem Landschaften, und ihre frühen Werke hängen im Museum der Stadt.",
        "Zweimal täglich eine Tablette nach dem Essen; hält der Husten an, zum Arzt gehen.",
        "Im Süden wird starker Regen erwartet, abends an der Küste kräftiger Wind.",
        "Die Kette des Fahrrads sollte vor dem Winter gereinigt und geölt werden.",
        "Der Rat beschloss, neben der alten Markthalle eine neue Schule zu bauen.",
    ),
}
