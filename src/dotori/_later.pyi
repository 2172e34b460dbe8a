from dotori.functions import (
    affine,
    aliases,
    alike,
    arithmetic,
    casting,
    counting,
    cumulative,
    distance,
    filling,
    gathering,
    layout,
    masking,
    matrices,
    products,
    quantiles,
    repeating,
    sampling,
    scattering,
    sorting,
    special,
    spectrogram,
    splitting,
    statistics,
    typed,
    views,
)
from dotori.functions import complex as numbers
from dotori.functions import diagonal as diagonals
from dotori.nn.functional import activation

class Later:
    # a family a paragraph, in the order of `dotori.functions._lazy`

    absolute = aliases.absolute
    arccos = aliases.arccos
    arccosh = aliases.arccosh
    arcsin = aliases.arcsin
    arcsinh = aliases.arcsinh
    arctan = aliases.arctan
    arctan2 = aliases.arctan2
    arctanh = aliases.arctanh
    degrees = aliases.degrees
    divide = aliases.divide
    expand_dims = aliases.expand_dims
    fix = aliases.fix
    greater = aliases.greater
    greater_equal = aliases.greater_equal
    invert = aliases.invert
    left_shift = aliases.left_shift
    less = aliases.less
    less_equal = aliases.less_equal
    mod = aliases.mod
    moveaxis = aliases.moveaxis
    multiply = aliases.multiply
    negative = aliases.negative
    not_equal = aliases.not_equal
    power = aliases.power
    radians = aliases.radians
    right_shift = aliases.right_shift
    rint = aliases.rint
    subtract = aliases.subtract
    swapdims = aliases.swapdims
    true_divide = aliases.true_divide

    addcdiv = arithmetic.addcdiv
    addcmul = arithmetic.addcmul
    bitwise_left_shift = arithmetic.bitwise_left_shift
    bitwise_right_shift = arithmetic.bitwise_right_shift
    clamp_max = arithmetic.clamp_max
    clamp_min = arithmetic.clamp_min
    copysign = arithmetic.copysign
    deg2rad = arithmetic.deg2rad
    float_power = arithmetic.float_power
    fmax = arithmetic.fmax
    fmin = arithmetic.fmin
    frexp = arithmetic.frexp
    gcd = arithmetic.gcd
    heaviside = arithmetic.heaviside
    isneginf = arithmetic.isneginf
    isposinf = arithmetic.isposinf
    lcm = arithmetic.lcm
    ldexp = arithmetic.ldexp
    logaddexp2 = arithmetic.logaddexp2
    nan_to_num = arithmetic.nan_to_num
    nextafter = arithmetic.nextafter
    positive = arithmetic.positive
    rad2deg = arithmetic.rad2deg
    signbit = arithmetic.signbit

    digamma = special.digamma
    erf = special.erf
    erfc = special.erfc
    erfinv = special.erfinv
    i0 = special.i0
    igamma = special.igamma
    igammac = special.igammac
    lgamma = special.lgamma
    logit = special.logit
    mvlgamma = special.mvlgamma
    polygamma = special.polygamma
    sinc = special.sinc
    xlogy = special.xlogy

    aminmax = statistics.aminmax
    corrcoef = statistics.corrcoef
    cov = statistics.cov
    nanmean = statistics.nanmean
    nansum = statistics.nansum
    renorm = statistics.renorm

    median = quantiles.median
    mode = quantiles.mode
    nanmedian = quantiles.nanmedian
    nanquantile = quantiles.nanquantile
    quantile = quantiles.quantile

    cummax = cumulative.cummax
    cummin = cumulative.cummin
    cumprod = cumulative.cumprod
    diff = cumulative.diff
    logcumsumexp = cumulative.logcumsumexp

    argsort = sorting.argsort
    kthvalue = sorting.kthvalue
    msort = sorting.msort
    sort = sorting.sort
    topk = sorting.topk
    unique = sorting.unique
    unique_consecutive = sorting.unique_consecutive

    bincount = counting.bincount
    histc = counting.histc
    histogram = counting.histogram

    dist = distance.dist

    argwhere = gathering.argwhere
    gather = gathering.gather
    index_select = gathering.index_select
    masked_select = gathering.masked_select
    narrow = gathering.narrow
    narrow_copy = gathering.narrow_copy
    nonzero = gathering.nonzero
    nonzero_static = gathering.nonzero_static
    select = gathering.select
    take = gathering.take
    take_along_dim = gathering.take_along_dim

    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_put = scattering.index_put
    index_reduce = scattering.index_reduce
    put = scattering.put
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = scattering.scatter_reduce

    diagonal_scatter = masking.diagonal_scatter
    masked_fill = masking.masked_fill
    masked_scatter = masking.masked_scatter
    select_scatter = masking.select_scatter
    slice_scatter = masking.slice_scatter

    adjoint = views.adjoint
    as_strided = views.as_strided
    as_strided_scatter = views.as_strided_scatter
    expand_as = views.expand_as
    ravel = views.ravel
    reshape_as = views.reshape_as
    sum_to_size = views.sum_to_size
    t = views.t
    unflatten = views.unflatten
    unfold = views.unfold
    view = views.view
    view_as = views.view_as

    dsplit = splitting.dsplit
    hsplit = splitting.hsplit
    split_with_sizes = splitting.split_with_sizes
    tensor_split = splitting.tensor_split
    unsafe_chunk = splitting.unsafe_chunk
    unsafe_split = splitting.unsafe_split
    unsafe_split_with_sizes = splitting.unsafe_split_with_sizes
    vsplit = splitting.vsplit

    fliplr = repeating.fliplr
    flipud = repeating.flipud
    repeat = repeating.repeat
    repeat_interleave = repeating.repeat_interleave
    roll = repeating.roll
    rot90 = repeating.rot90
    tile = repeating.tile

    addbmm = affine.addbmm
    addmm = affine.addmm
    addmv = affine.addmv
    addr = affine.addr
    baddbmm = affine.baddbmm
    bmm = products.bmm
    cross = products.cross
    dot = products.dot
    ger = products.ger
    inner = products.inner
    kron = products.kron
    mm = products.mm
    mv = products.mv
    outer = products.outer
    trace = products.trace
    vdot = products.vdot

    istft = spectrogram.istft
    stft = spectrogram.stft

    cholesky = matrices.cholesky
    cholesky_inverse = matrices.cholesky_inverse
    cholesky_solve = matrices.cholesky_solve
    det = matrices.det
    geqrf = matrices.geqrf
    inverse = matrices.inverse
    logdet = matrices.logdet
    lu = matrices.lu
    lu_solve = matrices.lu_solve
    matrix_exp = matrices.matrix_exp
    matrix_power = matrices.matrix_power
    orgqr = matrices.orgqr
    ormqr = matrices.ormqr
    pinverse = matrices.pinverse
    qr = matrices.qr
    slogdet = matrices.slogdet
    svd = matrices.svd
    triangular_solve = matrices.triangular_solve

    angle = numbers.angle
    conj = numbers.conj
    conj_physical = numbers.conj_physical
    is_complex = numbers.is_complex
    is_conj = numbers.is_conj
    is_neg = numbers.is_neg
    isreal = numbers.isreal
    resolve_conj = numbers.resolve_conj
    resolve_neg = numbers.resolve_neg
    sgn = numbers.sgn

    bernoulli = sampling.bernoulli
    multinomial = sampling.multinomial

    bernoulli_ = filling.bernoulli_
    cauchy_ = filling.cauchy_
    exponential_ = filling.exponential_
    geometric_ = filling.geometric_
    log_normal_ = filling.log_normal_
    normal_ = filling.normal_
    random_ = filling.random_
    uniform_ = filling.uniform_

    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    diagonal = diagonals.diagonal

    new_empty = alike.new_empty
    new_empty_strided = alike.new_empty_strided
    new_full = alike.new_full
    new_ones = alike.new_ones
    new_tensor = alike.new_tensor
    new_zeros = alike.new_zeros

    data_ptr = layout.data_ptr
    element_size = layout.element_size
    is_floating_point = layout.is_floating_point
    is_nonzero = layout.is_nonzero
    is_same_size = layout.is_same_size
    is_signed = layout.is_signed
    ndimension = layout.ndimension
    nelement = layout.nelement
    storage_offset = layout.storage_offset
    stride = layout.stride

    bfloat16 = casting.bfloat16
    bool = typed.bool
    byte = typed.byte
    cdouble = typed.cdouble
    cfloat = typed.cfloat
    char = typed.char
    cpu = casting.cpu
    cuda = casting.cuda
    half = typed.half
    int = typed.int
    short = typed.short
    to = casting.to
    type = casting.type
    type_as = casting.type_as

    hardshrink = activation.hardshrink
    prelu = activation.prelu
