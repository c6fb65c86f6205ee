/** A text to learn merges from: several languages and scripts, numbers, code, white space of all sorts. */
export const TRAINING_TEXT = `
The river had risen in the night, and by the morning the lower fields were under water. Nobody in the village was
surprised: the old people had said for weeks that the winter's snow would come down all at once. They'd moved the
cattle, they'd taken the boats out of the sheds, and now they were waiting, as they had waited in 1947 and in 1963.

"It won't reach the church," said Anna, who was eleven and knew everything. "It didn't in 2002. I've seen the mark."
"You weren't born in 2002," said her brother. "I'm only telling you what's on the wall. You'll see, we'll be all right."

The government announced a programme of 12,500,000 for the repair of 138 bridges; the minister, Mr. O'Neill, called the
situation "unprecedented, but not hopeless". In the following weeks the committee met 27 times (see table 3.14), and
its report, all 1,024 pages of it, was published on 05/11/2019 at 10:45. It was said to be the longest of its kind.

Der Fluss war über Nacht gestiegen, und die tiefer gelegenen Äcker standen unter Wasser. Größere Schäden gab es nicht.
Le fleuve avait monté pendant la nuit ; les champs étaient inondés, mais l'église n'a pas été touchée, cette fois-là.
El río había crecido por la noche; ¿quién lo habría pensado? Mañana volverán los niños. São Paulo, coração, ação.
Река поднялась за ночь, и к утру нижние поля оказались под водой. Никто в деревне не удивился: старики это говорили.
Το ποτάμι είχε φουσκώσει τη νύχτα και τα χωράφια ήταν κάτω από το νερό. Κανείς δεν παραξενεύτηκε.
夜のうちに川が増水し、朝には低い畑が水につかっていた。村の人はだれも驚かなかった。東京から来た記者が聞いた。
河水在夜里上涨了，到了早上，低处的田地都被水淹没了。村里没有人感到惊讶。中文的文字没有空格。
강물이 밤새 불어나 아침에는 낮은 밭이 물에 잠겼다. 마을 사람들은 아무도 놀라지 않았다.
ارتفع النهر في الليل وفي الصباح كانت الحقول المنخفضة تحت الماء. עלה הנהר בלילה והשדות הנמוכים היו מתחת למים.
रात में नदी बढ़ गई थी और सुबह तक निचले खेत पानी में थे। แม่น้ำเพิ่มขึ้นในตอนกลางคืน

= = Weather = =
The <unk> @-@ year flood of @,@ 1963 was the worst @.@ 5 on record ; the level rose by 3 @.@ 7 m ( 12 ft ) .

    def level(day, start=0):
        if day <= start:
            return None
        for i in range(start, day):
            total += heights[i] * 0.5   # metres
        return {"day": day, "total": total}

	int main(void) { printf("%d\\n", 42); return 0; }
The rain, the rain, and the rain again: and then the sun 🌞, and the children 👨‍👩‍👧 ran out, naïve and happy 😀😀.
`;
