import { estimateDecimals, estimateParts, estimateText } from '../kit/estimate.ts'
import { counted } from '../kit/words.ts'
import { metricIndex, type PageScores, type PageVersus, worstCases } from './model.ts'

/** More labels than this are not told one by one. */
const labelsTold = 6

/** What the scores come to. */
export function summarySentences(scores: PageScores): string[] {
  const { labels, cases, means } = scores
  const [dice, distance] = [metricIndex(scores, 'dice'), metricIndex(scores, 'hd95Mm')]
  const told = [...labels.keys()].flatMap((l) => {
    const mean = means[l]?.[dice]
    return mean ? [{ l, mean }] : []
  })
  const head = `${counted(cases.length, 'case')}, ${counted(labels.length, 'label')}.`
  if (told.length === 0) return [`${head} Neither predictions nor references hold anything.`]
  const sorted = told.toSorted((a, b) => a.mean.mean - b.mean.mean)
  const shown = told.length <= labelsTold ? told : [sorted[0], sorted[sorted.length - 1]]
  const sentences = shown.map(({ l, mean }) => {
    const { value, low, high } = estimateParts({ ...mean, value: mean.mean }, { decimals: estimateDecimals([mean], 3) })
    const far = means[l]?.[distance]
    const hd95 = far ? `, HD95 ${far.mean.toFixed(1)} mm` : ''
    // One case has no deviation, and no interval.
    const spread = mean.cases > 1 ? ` ± ${mean.sd.toFixed(3)} (95 % ${low} to ${high})` : ''
    return `${labels[l]}: mean Dice ${value}${spread}${hd95}.`
  })
  const which = told.length <= labelsTold ? '' : 'The lowest and the highest mean: '
  return [head, which + sentences.join(' '), ...absentSentence(scores), ...worstSentence(scores, sorted[0].l)]
}

/** Labels that are missing from both maps of a case score 1 there: a mean of many such says little. */
function absentSentence({ labels, cases, absent }: PageScores): string[] {
  const found = [...labels.keys()].filter((l) => absent[l] > 0).toSorted((a, b) => absent[b] - absent[a])
  if (found.length === 0) return []
  const told = found.slice(0, labelsTold).map((l) => `${labels[l]} in ${absent[l]}`)
  const rest = found.length > labelsTold ? ` and ${found.length - labelsTold} others` : ''
  return [`In neither map, which counts as Dice 1: of ${counted(cases.length, 'case')} ${told.join(', ')}${rest}.`]
}

function worstSentence(scores: PageScores, label: number): string[] {
  const dice = metricIndex(scores, 'dice')
  const list = worstCases(scores, label, 3).map((i) => {
    const value = scores.cases[i].values[label]?.[dice] ?? 0
    return `${scores.cases[i].name} (${value.toFixed(3)})`
  })
  return list.length === 0 ? [] : [`Look first at ${scores.labels[label]} of ${list.join(', ')}.`]
}

/** What the comparison comes to: labels by verdict, with the difference of Dice where there are few. */
export function versusSentences(scores: PageScores, { other, differences }: PageVersus): string[] {
  const dice = metricIndex(scores, 'dice')
  const own = [...scores.labels.keys()].flatMap((l) => {
    const paired = differences[l]?.[dice]
    return paired ? [{ l, verdict: paired.verdict, difference: paired.difference }] : []
  })
  if (own.length === 0) return []
  const verdicts = [...new Set(own.map(({ verdict }) => verdict))].map((verdict) => {
    const of = own.filter((each) => each.verdict === verdict)
    const told = of.slice(0, labelsTold).map(({ l, difference }) => {
      const style = { decimals: estimateDecimals([difference], 3), signed: true }
      return `${scores.labels[l]} ${estimateText(difference, style)}`
    })
    const rest = of.length > labelsTold ? ` and ${of.length - labelsTold} others` : ''
    return `${verdict} for ${told.join(', ')}${rest}`
  })
  return [`In Dice, case by case, ${scores.name} against ${other.name} is ${verdicts.join('; ')}.`]
}
